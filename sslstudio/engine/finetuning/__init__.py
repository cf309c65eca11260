"""Fine-tuning: a pretrained encoder and its untrained twin learn from labels and are tested, in one run or in folds.

How its parts answer is in `read_out`, what a fine-tuned run is used for afterwards in `use`.
"""
