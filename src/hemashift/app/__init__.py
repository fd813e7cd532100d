"""The laboratory's page without the web: a folder of images as a project, from import to report.

`hemashift.app.project` opens a project and says where everything else is.
"""
