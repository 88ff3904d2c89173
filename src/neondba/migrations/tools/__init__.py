"""The tools that projects keep their migrations with, behind one face."""
