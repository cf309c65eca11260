"""The two pages that train: pretraining and fine-tuning, with their settings, curves, answers and queue.

`run_page` is what both share; `run_controller` follows a run, here or in another process.
"""
