"""The script that made the embedded models and dialogues, `python -m src.assets.build`; no run needs it."""
