"""The report on a run: one page of HTML that holds all that it shows, for people who do not have the program.

It reads run folders and is written in the language that it is given, English if in none; nothing is computed anew.
"""
