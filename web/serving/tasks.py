"""How requests that came in are answered: by the application, or by a refusal in its shape."""

from __future__ import annotations

import json
from typing import Any

from waitress.task import ErrorTask, WSGITask

from web.answers.headers import HEADERS
from web.answers.problems import Problem
from web.answers.request_ids import HEADER, KNOWN, sane_or_new
from web.answers.timing import WAITED
from web.api.uploads import REFUSED
from web.monitoring.access_log import tell
from web.serving.overload import OVERLOADED

HINTS = {
    400: "Send HTTP/1.1.",
    408: "Send the whole request at once; a smaller photo takes less time.",
    431: "Send fewer or shorter headers.",
}


class ApplicationTask(WSGITask):  # type: ignore[misc]
    """Runs the application, telling it what became of the request on its way in."""

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environment."""
        environ: dict[str, Any] = super().get_environment()
        if self.request.overloaded:
            environ[OVERLOADED] = self.request.overloaded
        elif self.request.refused:
            environ[REFUSED] = True
        environ[WAITED] = self.request.waited
        return environ

    def execute(self) -> None:
        """Answer, and hang up on a client that has not finished sending."""
        if self.request.cut:
            self.set_close_on_finish()
        super().execute()

    def service(self) -> None:
        """Answer, and tell the log."""
        try:
            super().service()
        finally:
            tell(self, self.environ or {})


class RefusalTask(ErrorTask):  # type: ignore[misc]
    """Answers what is no HTTP that the application could be asked about."""

    def __init__(self, channel: Any, request: Any) -> None:
        super().__init__(channel, request)
        self.named = sane_or_new(request.headers.get("X_REQUEST_ID", ""))

    def execute(self) -> None:
        """Answer in the shape of every other error."""
        error = self.request.error
        code = error.reason.lower().replace(" ", "_")
        problem = Problem(error.code, code, f"{error.reason}.", HINTS.get(error.code, ""))
        body = json.dumps(problem.body).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend(
            [
                ("Content-Type", "application/json"),
                ("Cache-Control", "no-store"),
                (HEADER, self.named),
                *HEADERS.items(),
            ]
        )
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)

    def service(self) -> None:
        """Answer, and tell the log."""
        try:
            super().service()
        finally:
            tell(self, {KNOWN: self.named})
