"""The formats of labels that are understood, one module or package each: all of them are found here by being here.

Each is a `LabelSource` (see `labels.types`): it says what it finds in a folder, why, and how surely. Formats do not
import each other; what two of them need lies beside this package.
"""
