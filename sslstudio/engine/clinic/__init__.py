"""Whether a pretext task suits these pictures: asked of the pictures beforehand (the clinic), and of a trained
network afterwards (the shortcut audit).

`run` does both for a person; the other modules compute.
"""
