with answers as (
  {{ interaction_skills() }}
),

counts as (
  select
    skill_id,
    min(subject) as subject,
    count(distinct item_id) as items,
    count(*) as events,
    count(distinct learner) as learners,
    sum(correct) as wins,
    percentile_cont(0.5) within group (order by response_time_ms) as median_response_time_ms,
    min(day) as first_day,
    max(day) as last_day
  from answers
  group by skill_id
)

select
  skill_id,
  subject,
  items,
  events,
  learners,
  case when learners >= {{ k_anonymity() }} then cast(wins as bigint) end as wins,
  case when learners >= {{ k_anonymity() }} then cast(wins as double precision) / events end as success_rate,
  case
    when learners >= {{ k_anonymity() }} then cast({{ difficulty('events', 'wins') }} as double precision)
  end as difficulty,
  case
    when learners >= {{ k_anonymity() }} then cast(median_response_time_ms as double precision)
  end as median_response_time_ms,
  first_day,
  last_day
from counts
order by skill_id
