"""The laboratory's page: server-rendered pages over the functions of `hemashift.app`.

`server.create_app` puts together what each request goes through: `security` (is it the page
itself that asks?), `routes` (a file a step of the work), `answers` and `rendering` (JSON and
pages). Nothing here decides anything about cells, models or counts.
"""
