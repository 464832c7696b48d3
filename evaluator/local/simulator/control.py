"""The other door of the simulator: what a test or a demonstration changes and looks at while it runs.

    GET|PATCH /control/habits                 latency, limit, switches, the time: see `Habits`
    GET|PUT|DELETE /control/users/{handle}    a user in full; DELETE gives the handle back to the population
    POST /control/submissions                 {"handle", "submissions": [{"slug", "at"}]}: on top of what the user has
    GET|POST|DELETE /control/faults           what goes wrong: POST a fault or a list of them; DELETE takes all back
    GET|DELETE /control/requests              how many came, how they were answered, the busiest second;
                                              with ?arrivals=1 the moment of each. DELETE counts anew

Bodies and answers are JSON. Times are seconds since the epoch or ISO 8601 with an offset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from evaluator.local.simulator.faults import Fault, Faults
from evaluator.local.simulator.habits import Habits
from evaluator.local.simulator.http import Reply, Request, json_reply, read_json
from evaluator.local.simulator.script import ScriptedSubmission, ScriptedUser
from evaluator.local.simulator.traffic import Traffic
from evaluator.local.simulator.users import Users

PREFIX = "/control/"

_FAULTS = TypeAdapter(list[Fault])


class _Submissions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    handle: str
    submissions: tuple[ScriptedSubmission, ...]


class Control:
    """What can be changed, and the door to it."""

    def __init__(self, users: Users, habits: Habits, faults: Faults) -> None:
        self.users = users
        self.habits = habits
        self.faults = faults
        self.traffic = Traffic()

    def handle(self, request: Request) -> Reply:
        """Answer a request whose path begins with PREFIX."""
        room, _, name = request.path.removeprefix(PREFIX).partition("/")
        if not room:
            return Reply(200, str(__doc__).encode(), {"Content-Type": "text/plain; charset=UTF-8"})
        route = _ROUTES.get((request.method, room))
        if route is None:
            return json_reply({"error": f"There is no {request.method} {request.path}; {PREFIX} explains."}, 404)
        try:
            return json_reply(route(self, request, name), 201 if request.method == "POST" else 200)
        except ValidationError as error:
            return json_reply({"error": mistakes(error)}, 400)
        except (ValueError, TypeError) as error:
            return json_reply({"error": f"The body cannot be read: {error}"}, 400)

    def change_habits(self, request: Request, _: str) -> object:
        self.habits = Habits.model_validate(self.habits.model_dump() | read_json(request.body))
        return self.habits.model_dump()

    def put_user(self, request: Request, handle: str) -> object:
        user = ScriptedUser.model_validate({"handle": handle} | read_json(request.body))
        self.users.put(user)
        return user.model_dump()

    def remove_user(self, _: Request, handle: str) -> object:
        self.users.remove(handle)
        return self.users.script(handle).model_dump()

    def submit(self, request: Request, _: str) -> object:
        given = _Submissions.model_validate(read_json(request.body))
        return self.users.submit(given.handle, given.submissions).model_dump()

    def plan_faults(self, request: Request, _: str) -> object:
        said = read_json(request.body)
        self.faults.plan(_FAULTS.validate_python(said if isinstance(said, list) else [said]))
        return self.faults.report()

    def clear_faults(self, _: Request, __: str) -> object:
        self.faults.clear()
        return self.faults.report()

    def count_requests(self, request: Request, _: str) -> object:
        return self.traffic.report(arrivals=request.query == "arrivals=1")

    def count_anew(self, _: Request, __: str) -> object:
        self.traffic = Traffic()
        return self.traffic.report()


_ROUTES: Mapping[tuple[str, str], Callable[[Control, Request, str], object]] = {
    ("GET", "habits"): lambda control, _, __: control.habits.model_dump(),
    ("PATCH", "habits"): Control.change_habits,
    ("GET", "users"): lambda control, _, handle: control.users.script(handle).model_dump(),
    ("PUT", "users"): Control.put_user,
    ("DELETE", "users"): Control.remove_user,
    ("POST", "submissions"): Control.submit,
    ("GET", "faults"): lambda control, _, __: control.faults.report(),
    ("POST", "faults"): Control.plan_faults,
    ("DELETE", "faults"): Control.clear_faults,
    ("GET", "requests"): Control.count_requests,
    ("DELETE", "requests"): Control.count_anew,
}


def mistakes(error: ValidationError) -> str:
    """What is wrong with some input, by its place in it."""
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors()
    )
