"""Plots and maps that are drawn with pyqtgraph, and how they are read with the mouse and with the keys.

A plot shows the points that it is given.
"""
