"""An S3 server on the loopback that counts what it is asked for: ``python tests/s3_server.py PORT``.

moto speaks S3. Around it, every request for a bucket is counted, and a rule can delay or refuse it; tests reach both by
`ServerOfBuckets`.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from typing import Any

CONTROL = "/-control/"


class Counted:
    """A WSGI application that counts requests before it hands them on.

    Parameters
    ----------
    application : WSGI application
        What answers.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._seen: list[dict[str, Any]] = []
        self._rules: list[dict[str, Any]] = []
        self._held = 0

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        path = environ["PATH_INFO"]
        if path.startswith(CONTROL):
            return self._controlled(path.removeprefix(CONTROL), environ, start)
        refused = self._refused(environ)
        if refused is not None:
            return refused(environ, start)
        noted: dict[str, Any] = {
            "method": environ["REQUEST_METHOD"],
            "path": path,
            "query": environ["QUERY_STRING"],
            "range": environ.get("HTTP_RANGE"),
        }

        def noting(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            noted["status"] = int(status[:3])
            return start(status, headers, *rest)

        body = list(self._application(environ, noting))
        with self._lock:
            self._seen.append({**noted, "bytes": sum(map(len, body))})
        return body

    def _refused(self, environ: dict[str, Any]) -> Any:
        from werkzeug import Response

        asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        given = environ.get("HTTP_AUTHORIZATION", "") + environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
        for rule in list(self._rules):
            if not re.search(rule["asked"], asked) or not re.search(rule.get("given", ""), given):
                continue
            if rule.get("times") is not None:
                with self._lock:
                    rule["times"] -= 1
                    if rule["times"] < 0:
                        continue
            if rule.get("hold"):
                self._hold(rule)
            if rule.get("status"):
                code = rule.get("code", "Refused")
                text = f"<Error><Code>{code}</Code><Message>refused</Message></Error>"
                return Response(text, status=rule["status"], mimetype="application/xml")
        return None

    def _hold(self, rule: dict[str, Any]) -> None:
        """Hold a request back as long as the rule is in force."""
        with self._lock:
            self._held += 1
        while rule in self._rules:
            time.sleep(0.01)
        with self._lock:
            self._held -= 1

    def _controlled(self, what: str, environ: dict[str, Any], start: Any) -> Any:
        from werkzeug import Request, Response

        if what == "rules":
            self._rules = json.loads(Request(environ).get_data())
        if what == "held":
            return Response(json.dumps(self._held))(environ, start)
        with self._lock:
            seen, self._seen = self._seen, [] if what == "reset" else self._seen
        return Response(json.dumps(seen), mimetype="application/json")(environ, start)


def main() -> None:
    """Serve until killed."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    application = Counted(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", int(sys.argv[1]), application, threaded=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
