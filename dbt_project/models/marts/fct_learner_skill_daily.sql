with answers as (
  {{ interaction_skills() }}
),

daily as (
  select
    learner,
    skill_id,
    day,
    min(subject) as subject,
    count(*) as events,
    cast(sum(correct) as bigint) as wins,
    count(distinct item_id) as items,
    cast(sum(hint_count) as bigint) as hints,
    cast(sum(response_time_ms) as bigint) as response_time_ms
  from answers
  group by learner, skill_id, day
)

select
  learner,
  skill_id,
  day,
  subject,
  events,
  wins,
  cast(wins as double precision) / events as success_rate,
  items,
  hints,
  response_time_ms,
  cast(sum(events) over (partition by learner, skill_id order by day) as bigint) as opportunities
from daily
order by learner, day, skill_id
