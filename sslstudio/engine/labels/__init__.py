"""What is known about pictures beforehand: classes and masks, recognised in whatever form a data set has them.

Each form is a module or a package of its own; `recognise` asks them all.
"""
