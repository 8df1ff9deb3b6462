"""What people read of drift: the report and its plots."""
