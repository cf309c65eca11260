"""Fine-tuning: a pretrained encoder and its untrained twin learn from labels and are tested, in one run or in folds.

Also what a fine-tuned run is used for afterwards: predictions, similar pictures, a closer look.
"""
