"""The training loop and what every training needs: its config, schedule, micro-batches, checkpoints, autotuning.

What is trained is handed in as a job; pretraining and fine-tuning are such jobs.
"""
