{# The answers once for each of their skills; an answer that names a skill twice counts once. #}
{% macro interaction_skills() -%}
  select
    interactions.learner,
    interactions.class_,
    interactions.day,
    interactions.week,
    interactions.item_id,
    interactions.subject,
    interactions.correct,
    interactions.response_time_ms,
    interactions.hint_count,
    unnest({{ without_repeats('interactions.skill_ids') }}) as skill_id
  from {{ ref('stg_interactions') }} as interactions
{%- endmacro %}


{# An array with each element once, in no particular order. #}
{% macro without_repeats(array) -%}
  {{ return(adapter.dispatch('without_repeats')(array)) }}
{%- endmacro %}

{% macro default__without_repeats(array) -%}
  array(select distinct element from unnest({{ array }}) as elements (element))
{%- endmacro %}

{% macro duckdb__without_repeats(array) -%}
  list_distinct({{ array }})
{%- endmacro %}
