"""What followed recommendations in real logs, against learners who were alike."""
