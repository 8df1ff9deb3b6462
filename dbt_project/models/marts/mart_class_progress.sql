-- A class, skill and week in which fewer than k learners practised is left out: not even that it happened is told.
with answers as (
  {{ interaction_skills() }}
),

weekly as (
  select
    class_,
    skill_id,
    week,
    min(subject) as subject,
    count(distinct learner) as learners,
    count(*) as events,
    cast(sum(correct) as bigint) as wins,
    count(distinct item_id) as items
  from answers
  where class_ is not null
  group by class_, skill_id, week
  having count(distinct learner) >= {{ k_anonymity() }}
),

rated as (
  select *, cast(wins as double precision) / events as success_rate
  from weekly
)

select
  class_,
  skill_id,
  week,
  subject,
  learners,
  events,
  wins,
  items,
  success_rate,
  success_rate - lag(success_rate) over (partition by class_, skill_id order by week) as change
from rated
order by class_, skill_id, week
