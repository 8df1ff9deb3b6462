{# Smallest group of learners that a figure may describe; the platform's setting AIVO_PRIVACY_K_ANONYMITY. #}
{% macro k_anonymity() -%}
  {{ env_var('AIVO_PRIVACY_K_ANONYMITY', '5') | int }}
{%- endmacro %}
