{#
  Difficulty in logits, higher is harder, 0 where half of the answers are right. Half an answer is added to each side
  (Haldane 1956, Anscombe 1956), so that an item that everybody solves has a difficulty too.
#}
{% macro difficulty(events, wins) -%}
  ln(({{ events }} - {{ wins }} + 0.5) / ({{ wins }} + 0.5))
{%- endmacro %}
