-- Discrimination is the item-rest correlation of classical test theory: over learners, between their first answer to
-- the item and their success on everything else in the subject. Rest scores are parts per million, so that every sum is
-- an exact integer and the result does not depend on the order in which threads add.
with interactions as (
  select * from {{ ref('stg_interactions') }}
),

ordered as (
  select
    learner,
    item_id,
    subject,
    correct,
    row_number() over (partition by learner, subject, item_id order by day, sequence, event) as nth,
    count(*) over (partition by learner, subject, item_id) as item_events,
    sum(correct) over (partition by learner, subject, item_id) as item_wins,
    count(*) over (partition by learner, subject) as all_events,
    sum(correct) over (partition by learner, subject) as all_wins
  from interactions
),

first_answers as (
  select
    item_id,
    cast(correct as bigint) as x,
    cast(round(1000000.0 * (all_wins - item_wins) / (all_events - item_events)) as bigint) as y
  from ordered
  where nth = 1 and all_events > item_events
),

sums as (
  select
    item_id,
    count(*) as n,
    sum(x) as x,
    sum(y) as y,
    sum(x * y) as xy,
    sum(y * y) as yy
  from first_answers
  group by item_id
),

discriminations as (
  select
    item_id,
    case
      when n * x > x * x and n * yy > y * y
        then cast(n * xy - x * y as double precision)
          / (sqrt(cast(n * x - x * x as double precision)) * sqrt(cast(n * yy - y * y as double precision)))
    end as discrimination
  from sums
  where n >= {{ k_anonymity() }}
),

skills as (
  select item_id, array_agg(distinct skill_id order by skill_id) as skill_ids
  from ({{ interaction_skills() }}) as answers
  group by item_id
),

counts as (
  select
    item_id,
    min(subject) as subject,
    count(*) as events,
    count(distinct learner) as learners,
    sum(correct) as wins,
    avg(case when hint_count > 0 then 1 when hint_count = 0 then 0 end) as hint_rate,
    percentile_cont(0.5) within group (order by response_time_ms) as median_response_time_ms,
    min(day) as first_day,
    max(day) as last_day
  from interactions
  group by item_id
)

select
  counts.item_id,
  counts.subject,
  skills.skill_ids,
  counts.events,
  counts.learners,
  case when counts.learners >= {{ k_anonymity() }} then cast(counts.wins as bigint) end as wins,
  case
    when counts.learners >= {{ k_anonymity() }} then cast(counts.wins as double precision) / counts.events
  end as success_rate,
  case
    when counts.learners >= {{ k_anonymity() }}
      then cast({{ difficulty('counts.events', 'counts.wins') }} as double precision)
  end as difficulty,
  discriminations.discrimination,
  case when counts.learners >= {{ k_anonymity() }} then cast(counts.hint_rate as double precision) end as hint_rate,
  case
    when counts.learners >= {{ k_anonymity() }} then cast(counts.median_response_time_ms as double precision)
  end as median_response_time_ms,
  counts.first_day,
  counts.last_day
from counts
left join skills on counts.item_id = skills.item_id
left join discriminations on counts.item_id = discriminations.item_id
order by counts.item_id
