{# Every row counts at least k learners (AIVO_PRIVACY_K_ANONYMITY), or tells nothing in the guarded columns. #}
{% test describes_a_group(model, column_name, guarded=[]) %}
select {{ column_name }}
from {{ model }}
where
  {{ column_name }} < {{ k_anonymity() }}
  {%- if guarded %}
  and (
    {%- for column in guarded %}
    {{ column }} is not null {{ 'or' if not loop.last }}
    {%- endfor %}
  )
  {%- endif %}
{% endtest %}
