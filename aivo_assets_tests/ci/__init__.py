"""What .ci/ runs beside the suite."""
