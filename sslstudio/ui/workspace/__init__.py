"""What the window works on: the open folders or project, their labels, findings and runs, with signals for changes.

Pages read it and ask it for changes; it knows no page.
"""
