"""What makes things happen: partitions, jobs, schedules, sensors and checks. No learning and no columns here."""
