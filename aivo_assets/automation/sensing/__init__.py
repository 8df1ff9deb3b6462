"""What a tick of a sensor asks for: from what happened to a run, or the reason for none. Sensors are in `sensors.py`.

A run key is the purpose and the id of what caused it, so a tick that is repeated asks for the same run; where that run
failed, another is asked for (`runs/attempts.py`). The cursor moves last.
"""
