"""Election day: the forecast given what has been announced, such as "98 to 67".

An `ElectionDay` holds weighted particles, is told what has been announced, and forecasts the rest with the same
kernel as before the vote.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from iomsim.election_day.belief import Belief, first_belief, sampled, updated
from iomsim.election_day.log import (
    MOST_EVENTS,
    USUAL_DRAWS,
    LogFile,
    Logged,
    read,
    seconds_to_play,
    takes_long,
)
from iomsim.election_day.predict import (
    NextRound,
    forecast_from,
    next_round,
    plan_of,
    play_samples,
    reading_uniforms,
)
from iomsim.election_day.report import RARE, Report, caution, learned, needed
from iomsim.election_day.state import FilterState, UpdateContext
from iomsim.engine import paths
from iomsim.engine.outcomes import Outcomes
from iomsim.engine.rng import fresh_seed
from iomsim.errors import AnnouncementError, FileError, IomsimError, quote, quote_path, whole_number
from iomsim.forecasting.forecast import Forecast
from iomsim.forecasting.result import Plot
from iomsim.forecasting.tables import NOBODY, STILL_VOTING
from iomsim.house_style import count, in_html, in_lines, thousands
from iomsim.interrupts import uninterrupted
from iomsim.model.assumptions import DRAWS, drawn
from iomsim.model.components import WeightedReading
from iomsim.model.events import Event, checked, event_of, in_words
from iomsim.model.lines import PAPERS
from iomsim.model.parameters import describe_parameter
from iomsim.model.scenario import Scenario, described, refuse_swings

STEP, CLOCK, FORECAST = 1, 2, 3
"""What random numbers are for: their address is the number of the event or round, this, and 0."""


class UnexpectedTallyWarning(UserWarning):
    """An announcement that the model gave almost no chance."""


def live(
    race: Scenario,
    particles: int = 20_000,
    seed: int | None = None,
    log: str | Path | None = None,
    *,
    assumptions: int | str = DRAWS,
) -> ElectionDay:
    """Open an election day.

    Parameters
    ----------
    race : Scenario
        The election as it was described before the vote.
    particles : int, default 20_000
        How many to carry.  Before anything is announced they are the runs of
        ``iomsim.forecast(race, runs=particles, seed=seed, assumptions=assumptions)``.
    seed : int, optional
        Addresses all random numbers; None draws one, kept in `ElectionDay.seed`.
    log : path, optional
        A new file to which every event is written as it is announced; :func:`replay` reads it.
    assumptions : int or "fixed", default 400
        How many draws of the scenario's assumptions the particles follow, as in :func:`iomsim.forecast`: what is
        announced teaches about them, about the level, and about the reading of the rules.  "fixed" plays the best
        guesses.

    Returns
    -------
    ElectionDay

    Raises
    ------
    IomsimError
        If an argument makes no sense, or the particles do not fit into memory: how many would.
    ScenarioError
        If the scenario has a swing.
    FileError
        If the log exists already, or cannot be written.

    Examples
    --------
    >>> import iomsim as iom
    >>> day = iom.live(iom.load("geneva-2023"), particles=500, seed=2023)
    >>> _ = day.announce(Pope=98, Vitorino=67, at="12:20")
    >>> day.needed()
    'Pope is 12 votes short of 110.'
    """
    refuse_swings("live", described("live", race), "the first tally shows what became of it")
    size = whole_number("particles", particles, 2)
    if log is not None and Path(log).exists():
        raise FileError(
            f"the log {quote_path(log)} exists already; replay(log, log) goes on from it, or name another file"
        )
    seed = fresh_seed() if seed is None else whole_number("seed", seed, 0)
    return ElectionDay(race, size, seed, log, assumptions=assumptions)


def replay(path: str | Path, log: str | Path | None = None, *, patient: bool = False) -> ElectionDay:
    """Open an election day from its log: the same events, the same numbers.

    Parameters
    ----------
    path : path
        The log of a day.
    log : path, optional
        Where to log from now on; it may be the same file.
    patient : bool, default False
        Whether to play again what may take more than a minute: very many particles, or very many rounds.

    Raises
    ------
    FileError
        If the file is missing, damaged, or written in a newer format, or if it takes long: nothing is played then.
    ScenarioError
        If the scenario in it is none that can be played.
    AnnouncementError
        If an event in it cannot have happened; the sentence names the line.

    Examples
    --------
    >>> import iomsim as iom, tempfile
    >>> log = tempfile.mkdtemp() + "/monday.jsonl"
    >>> day = iom.live(iom.load("minimal"), particles=100, seed=1, log=log)
    >>> _ = day.announce(A=98, B=67, at="12:20")
    >>> iom.replay(log).needed()
    'A is 12 votes short of 110.'
    """
    logged, file = read(Path(path))
    if not patient and takes_long(logged):
        what = f"{count(len(logged.events), 'event')} for {thousands(logged.particles)} particles"
        draws = f" on {thousands(logged.draws)} draws of the assumptions" if logged.draws > USUAL_DRAWS else ""
        minutes = count(math.ceil(seconds_to_play(logged) / 60), "minute")
        raise FileError(
            f"{quote_path(path)} tells {what}{draws}, which may take {minutes} to play again; "
            "replay(path, patient=True) does, or iomsim replay --patient"
        )
    day = ElectionDay(logged.race, logged.particles, logged.seed, assumptions=logged.assumptions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnexpectedTallyWarning)  # it was given when the log was written
        for place, event in zip(logged.places, logged.events, strict=True):
            try:
                day.apply(event)
            except IomsimError as error:
                raise type(error)(f"{place}: {error}") from None
    day.log_to(log, file)
    return day


class Course(NamedTuple):
    """What happened as it is known now: the events, those corrected in their place, and what was believed between."""

    events: tuple[Event, ...]
    beliefs: tuple[Belief, ...]


class Step(NamedTuple):
    """An event as it was announced, what is believed after it, and the course as it is known then."""

    event: Event
    belief: Belief
    course: Course


class ElectionDay:
    """An election day: what was announced, what it means, and what may come.

    Made by :func:`live`.  Every announcing method changes the state and returns a :class:`Report`,
    which prints as a sentence or two; what cannot have happened is refused, and then nothing has
    changed.  :meth:`undo` takes the last event back.

    Attributes
    ----------
    race : Scenario
        The election.
    particles, seed : int
        Particles carried, and the seed.
    assumptions : int or str
        Draws of the assumptions that they follow, or "fixed".
    draws : Assumptions or None
        These draws as they were before the vote.
    plan : Plan
        The election with one column a draw, under all readings of its rules.
    """

    plot = Plot()
    _log: LogFile | None = None
    _logging = False

    def __init__(
        self,
        race: Scenario,
        particles: int,
        seed: int,
        log: str | Path | None = None,
        *,
        assumptions: int | str = DRAWS,
    ) -> None:
        self.race, self.particles, self.seed, self.assumptions = race, particles, seed, assumptions
        self.draws = drawn(race, seed, assumptions)
        self.plan = plan_of(race, self.draws)
        self._first = first_belief(self.plan, [part.weight for part in self._readings], particles, seed)
        self._steps: list[Step] = []
        self._forecasts: dict[int, Forecast] = {}
        self.log_to(log)

    # -- what is announced ------------------------------------------------------------------

    def announce(
        self,
        /,
        tally: Mapping[str, Any] | pd.Series | None = None,
        *,
        valid: int | None = None,
        others: int | None = None,
        blank: int | None = None,
        invalid: int | None = None,
        abstentions: int | None = None,
        present: int | None = None,
        needed: int | None = None,
        at: Any = None,
        **votes: Any,
    ) -> Report:
        """Announce the tally of a round, or what is known of it.

        Parameters
        ----------
        tally, **votes
            Votes by candidate: a number, "at least 90", "at most 60", or left out (or None, or NaN) where nothing is
            known.  A mapping or a Series serves where a name is no Python word, or where the tally is a row of a table:
            50.0 is 50, and papers may stand in it by their names below.
        valid : int, optional
            Valid papers; if every candidate's votes are known, those that they do not add up to are papers for
            names that do not stand.  Not to be told if there were none.
        others : int, optional
            Valid papers for names that do not stand.  If neither they nor the valid papers are told there were none;
            in a scenario that expects some (`stray`) their number is open.
        blank, invalid, abstentions : int, optional
            Papers, and members present, that count as no valid paper.
        present : int, optional
            Members present; known anyway if the valid papers are and one of the last three was told.
        needed : int, optional
            Votes that elect, as the chair announced; refused if the rules of the scenario say otherwise.
        at : str or datetime, optional
            When the round ended, in local time: "12:20" on the current day, "Tuesday 10:30", or a full
            date and time.

        Returns
        -------
        Report
            What the announcement did.

        Raises
        ------
        AnnouncementError
            If it cannot have happened; nothing is changed then.

        Warns
        -----
        UnexpectedTallyWarning
            If the model gave anything as far out less than 1 in 1 000.

        Notes
        -----
        That a round is announced shows that the one before it ended nothing: nobody had the votes, and
        the trailing one of two did not concede, which makes it less ready to concede later.

        The bar is taken from what was announced: of all valid papers, or of the members present, where the rules
        say so.  Papers for others and members present are facts that say nothing of how anybody votes; a number of
        members present that the model does not foresee is taken over by the particles that come nearest to it, and
        stays until another is announced.

        Examples
        --------
        >>> import iomsim as iom
        >>> day = iom.live(iom.load("minimal"), particles=100, seed=1)
        >>> _ = day.announce(A=98, B=64, others=3, abstentions=6)
        >>> day.needed()
        'A is 12 votes short of 110.'
        """
        papers = {"others": others, "blank": blank, "invalid": invalid, "abstentions": abstentions, "present": present}
        told = {key: value for key, value in (papers | {"needed": needed}).items() if value is not None}
        figures = _figures(tally, votes, {"valid": valid, **told})
        return self.apply({"event": "announce", **figures, "at": at})

    def inconclusive(
        self, /, tally: Mapping[str, Any] | pd.Series | None = None, *, at: Any = None, **told: Any
    ) -> Report:
        """Announce a round that elected nobody, with what else is known of it, if anything.

        Takes what :meth:`announce` takes.  A round of which nothing is known is told in no other way.
        """
        papers = {key: told.pop(key) for key in PAPERS if key in told}
        return self.apply({"event": "inconclusive", **_figures(tally, told, papers), "at": at})

    def elect(self, name: str, at: Any = None) -> Report:
        """Announce that a candidate is elected, where no figures are.

        It was the last round that elected, if what is known of it leaves that open, otherwise one more round: that
        the votes reached the bar is learned from.  If the model finds that impossible it is a fact all the same.
        """
        return self.apply({"event": "elect", "name": name, "at": at})

    def withdraw(self, name: str, at: Any = None) -> Report:
        """Announce that a candidate withdraws.

        Whoever is left alone by it may withdraw too: then nobody is elected.
        """
        return self.apply({"event": "withdraw", "name": name, "at": at})

    def eliminate(self, name: str, at: Any = None) -> Report:
        """Announce that a candidate is out, by the rules or by lot.

        Needed only where the tallies leave it open: otherwise the rules of the scenario are applied.
        """
        return self.apply({"event": "eliminate", "name": name, "at": at})

    def go_on(self, at: Any = None) -> Report:
        """Announce that another round will be held: nobody conceded after the last."""
        return self.apply({"event": "go on", "at": at})

    def confirm(self, yes: int, no: int, at: Any = None, **papers: int) -> Report:
        """Announce the yes/no round on the one who stands alone; `papers` as for :meth:`announce`."""
        return self.apply({"event": "confirm", "yes": yes, "no": no, "at": at} | papers)

    def correct(
        self,
        /,
        round: int,
        tally: Mapping[str, Any] | pd.Series | None = None,
        *,
        yes: int | None = None,
        no: int | None = None,
        at: Any = None,
        **told: Any,
    ) -> Report:
        """Correct the tally of a round that was announced before.

        The day is played again from that round on with the figures given now in place of all that were given for it:
        the numbers are those of a day on which they were announced at once.

        Parameters
        ----------
        round : int
            Number of the round.
        tally, **told
            Votes and papers, as :meth:`announce` takes them.
        yes, no : int, optional
            The answers, of a yes/no round.
        at : str or datetime, optional
            When the round ended, if that is corrected too.

        Raises
        ------
        AnnouncementError
            If no such round was announced, or if what was announced later cannot have happened after it.

        Examples
        --------
        >>> import iomsim as iom
        >>> day = iom.live(iom.load("geneva-2023"), particles=100, seed=1)
        >>> _ = day.announce(Pope=98, Vitorino=67)
        >>> str(day.correct(1, Pope=99, Vitorino=66)).partition(".")[0]
        'Round 1 corrected: Pope 99, Vitorino 66'
        """
        papers = {key: told.pop(key) for key in PAPERS if key in told}
        answer = {} if yes is None and no is None else {"yes": yes, "no": no, **papers}
        figures = answer if answer and tally is None and not told else _figures(tally, told, papers) | answer
        return self.apply({"event": "correct", "round": round, **figures, "at": at})

    def adjourn(self, until: Any) -> Report:
        """Announce that nothing happens before a moment: "15:00", "Tuesday 10:00", or a full date and time."""
        return self.apply({"event": "adjourn", "until": until})

    def tell(self, line: str) -> Report:
        """Announce what a line says, such as "98-67 at 12:20" or "undo".

        See :func:`iomsim.model.events.event_of` for what can be written.

        Examples
        --------
        >>> import iomsim as iom
        >>> day = iom.live(iom.load("minimal"), particles=100, seed=1)
        >>> _ = day.tell("98-67, 2 abstentions, at 12:20")
        >>> print(day.tell("B withdraws at 16:35"))
        B withdraws, and A is acclaimed.
        """
        fields = [(self.state.votes[r] >= 0).any(axis=1) for r in range(self.state.round_)]
        *earlier, now = ([self.race.names[k] for k in np.flatnonzero(who)] for who in (*fields, self.state.standing))
        return self.apply(event_of(line, self.race.names, now, earlier))

    def undo(self) -> Report:
        """Take the last event back."""
        if not self._steps:
            raise AnnouncementError("there is nothing to undo")
        with uninterrupted():
            self._write(self.events[:-1])
            self._forecasts.pop(len(self._steps), None)
            self._steps.pop()
        return self._report()

    def apply(self, event: Mapping[str, Any]) -> Report:
        """Apply an event as it stands in a log, or as :func:`iomsim.model.events.event_of` returns it.

        Raises
        ------
        AnnouncementError, UnknownNameError
            If it is no event (see :func:`iomsim.model.events.checked`), or cannot have happened; nothing is changed.
        FileError
            If the log cannot be written; nothing is changed, and the log is as it was.
        """
        told = checked(_plain(event), self.race.names)
        if told["event"] == "undo":
            return self.undo()
        if len(self._steps) == MOST_EVENTS:
            raise AnnouncementError(f"a day has at most {thousands(MOST_EVENTS)} events")
        course, belief = self._corrected(told) if told["event"] == "correct" else self._followed(told)
        with uninterrupted():
            self._write([*self.events, told])
            self._steps.append(Step(told, belief, course))
        if self.state.surprise < RARE:
            warnings.warn(caution(self.state), UnexpectedTallyWarning, stacklevel=3)
        return self._report()

    # -- what it means ----------------------------------------------------------------------

    @property
    def state(self) -> FilterState:
        """How the election stands, under the weightiest reading of the rules."""
        return self.belief.state

    @property
    def belief(self) -> Belief:
        """How the election stands under every reading of the rules, and how much each is believed."""
        return self._steps[-1].belief if self._steps else self._first

    @property
    def events(self) -> list[Event]:
        """What was announced, as in the log."""
        return [step.event for step in self._steps]

    @property
    def _beliefs(self) -> list[Belief]:
        """What was believed before the vote, and after every event."""
        return [self._first, *(step.belief for step in self._steps)]

    @property
    def effective_size(self) -> float:
        """Effective sample size after the last announcement, before resampling."""
        return self.state.effective_size

    def forecast(self) -> Forecast:
        """Return the forecast of the whole election given what has been announced."""
        return self._forecast(len(self.events))

    def history(self) -> pd.DataFrame:
        """Return the probabilities after each announcement, the prior forecast first.

        Returns
        -------
        DataFrame
            By step: the `event`, `at` (if announced; by the clocks of the seat, without a time zone), the `round` it
            came after; everybody's chance to win and "no winner", and what that is made of, "nobody" (the rules end
            it) and "still voting"; `spill` into the next day; median `rounds`; the particles' `effective_size`;
            `odds` of anything as far out, and `chance` of exactly this under the model; who is `out`, one after the
            other; `spilled` once the next day has come; `certain` once it is over.
        """
        rows = []
        for number, state in enumerate(belief.state for belief in self._beliefs):
            fc = self._forecast(number)
            rows.append(
                {
                    "event": state.label,
                    "at": None if state.at is None else fc.opening_date + timedelta(minutes=state.at),
                    "round": state.round_,
                    **fc.win_probability()["probability"].to_dict(),
                    **fc.chances()["probability"].loc[[NOBODY, STILL_VOTING]].to_dict(),
                    "spill": fc.spill().value,
                    "rounds": fc.median_rounds()[0],
                    "effective_size": state.effective_size,
                    "odds": state.surprise,
                    "chance": state.chance,
                    "out": ", ".join(fc.out),
                    "spilled": fc.spilled,
                    "certain": fc.certain,
                }
            )
        table = pd.DataFrame(rows).rename_axis("step")
        return table.assign(at=pd.to_datetime(table["at"]).astype("datetime64[s]"))

    def chances(self) -> pd.DataFrame:
        """Return the chances after each announcement, as a forecast's tables have them.

        Returns
        -------
        DataFrame
            By outcome (candidates, "no winner", "nobody", "still voting", "spill") and step, from 0, the forecast
            before the vote: `probability`, its range over the assumptions, `low` to `high`, as they are believed by
            then (missing where they are fixed), and its Monte Carlo error, `mc_error`, 0 of what is a fact.
        """
        steps = {number: _all_chances(self._forecast(number)) for number in range(len(self.events) + 1)}
        table = pd.concat(steps, names=["step", "outcome"]).swaplevel()
        return table.loc[list(dict.fromkeys(table.index.get_level_values("outcome")))]

    def needed(self) -> str:
        """Return how far the leader was from being elected in the last round.

        Where the announcements leave it open, the posterior median, marked "about".
        """
        return needed(self.belief.plan, self.state)

    def what_next(self, name: str | None = None) -> NextRound:
        """Return the coming round: its tally, the chance that it decides, and where the favourite changes.

        `name` is the candidate from whom it is seen; default: the favourite.
        """
        return next_round(self.forecast(), name)

    def learned(self) -> pd.DataFrame:
        """Return what the announcements say, against the prior: about what runs draw once, and about the assumptions.

        Returns
        -------
        DataFrame
            By quantity: mean, sd and 10, 50 and 90 % points before and now.  After what a run draws once come the
            assumptions: the level, every parameter that varies, and the readings of the rules, whose mean is the
            chance that the election follows them.  Read it with `iomsim.election_day.report.CAVEAT`: one tally
            moves the net level, and cannot tell how it splits between sponsors, secrecy and shocks.
        """
        return learned(self._first, self.belief, self.race, self.draws)

    @property
    def parameters_unsure(self) -> list[str]:
        """The parameters that vary over the assumptions, by their labels in :meth:`learned`; the level is not one."""
        known = [] if self.draws is None else list(self.draws.values)
        return [describe_parameter(self.race, path) for path in known if paths.head(path) != paths.LEVEL]

    def __repr__(self) -> str:
        """Return where things stand and the answer."""
        said = "; ".join(belief.state.label for belief in self._beliefs[1:]) or "nothing announced yet"
        lines = (f"{self.race.title}: {said}", str(self._report()), self.forecast().answer())
        return "\n".join(map(in_lines, lines))

    def _repr_html_(self) -> str:
        inside = ["no winner", "effective_size", "odds", "chance", "out", "spilled", "certain"]
        table = self.history().drop(columns=inside)
        html = table.to_html(border=0, float_format="{:.3f}".format, na_rep="")
        lines = "".join(f"<p>{escape(text)}</p>" for text in (str(self._report()), self.forecast().answer()))
        return in_html(lines, html)

    def play_on(self) -> Outcomes:
        """Play every particle from where it stands to its end."""
        rng = self._rng(self.state.round_, FORECAST)
        return play_samples(self.plan, sampled(rng, self.belief, reading_uniforms(self.seed, self.draws)).samples)

    # -- files ------------------------------------------------------------------------------

    def log_to(self, path: str | Path | None, known: LogFile | None = None) -> None:
        """Write every event to this file from now on; None stops.

        Raises
        ------
        FileError
            If the file cannot be written, or exists and is not the log of this day (`known`, if that was read); the
            day is logged where it was.
        """
        self._log = known or self._log
        if path is not None:
            ours = self._log is not None and self._log.path.absolute() == Path(path).absolute()
            file = self._log if self._log is not None and ours else LogFile(Path(path))
            self._log = file.write(self._logged(self.events))
        self._logging = path is not None

    def _logged(self, events: Sequence[Event]) -> Logged:
        return Logged(self.race, self.particles, self.seed, self.assumptions, tuple(events))

    def _write(self, events: Sequence[Event]) -> None:
        """Write the log, as it is to be; the file comes first, so that what is not in it has not happened."""
        if self._log is None or not self._logging:
            return
        try:
            self._log = self._log.write(self._logged(events))
        except FileError as error:
            how = "day.log_to(another file), or day.log_to(None), goes on with the day; then tell it again"
            raise FileError(f"{error}; nothing has changed: {how}") from None

    # -- inside -----------------------------------------------------------------------------

    @property
    def _readings(self) -> tuple[WeightedReading, ...]:
        """The readings of the rules that are weighed; none if the rules are taken as known."""
        return () if self.draws is None else self.race.readings

    def _report(self) -> Report:
        """Return what the last event did, against what was believed before it and before the vote."""
        event = self._steps[-1].event if self._steps else None
        return Report(self.race, self._first, self._beliefs[-2:][0], self.belief, self.draws, event)

    @property
    def _course(self) -> Course:
        """What happened as it is known now."""
        return self._steps[-1].course if self._steps else Course((), (self._first,))

    def _followed(self, event: Event) -> tuple[Course, Belief]:
        course = self._played(self._course, event)
        return course, course.beliefs[-1]

    def _played(self, course: Course, event: Event) -> Course:
        rng, clock_rng = (self._rng(len(course.beliefs), use) for use in (STEP, CLOCK))
        context = UpdateContext(self.plan, self.race.clock.opens, rng, clock_rng)
        return Course((*course.events, event), (*course.beliefs, updated(context, course.beliefs[-1], event)))

    def _corrected(self, event: Event) -> tuple[Course, Belief]:
        """Return the course with one round told anew, and its last belief, which tells the correction."""
        before, number = self._course, event["round"]
        held = [belief.state.round_ for belief in before.beliefs]
        if number not in held:
            raise AnnouncementError(f"round {number} was not announced; {rounds_so_far(held[-1])}")
        place = held.index(number) - 1
        told = {key: value for key, value in event.items() if key != "round" and (key != "at" or value is not None)}
        kind = "confirm" if event.get("yes") is not None else "announce"
        anew = {"at": before.events[place].get("at")} | told | {"event": kind}
        course = self._played(Course(before.events[:place], before.beliefs[: place + 1]), anew)
        corrected = course.beliefs[-1].state
        for later in before.events[place + 1 :]:
            try:
                course = self._played(course, later)
            except AnnouncementError as error:
                raise AnnouncementError(
                    f"after round {number} so corrected, {quote(in_words(later))} cannot have happened ({error}); "
                    "undo what was announced since, then correct it"
                ) from None
        about = {key: getattr(corrected, key) for key in ("surprise", "surprising", "chance")}
        told = about | {"label": f"round {number} corrected: {corrected.label}"}
        return course, course.beliefs[-1].told(told)

    def _rng(self, number: int, use: int) -> np.random.Generator:
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(self.seed, spawn_key=(number, use, 0))))

    def _forecast(self, number: int) -> Forecast:
        if number not in self._forecasts:
            events = tuple(self.events[:number])
            belief = self._beliefs[number]
            rng = self._rng(belief.state.round_, FORECAST)  # by the round: an event without information changes nothing
            self._forecasts[number] = forecast_from(self.race, self.seed, rng, belief, events, self.draws)
        return self._forecasts[number]


def _all_chances(fc: Forecast) -> pd.DataFrame:
    """Return the chances of everybody, of what there may be in place of a winner, and of the next day."""
    spill = fc.spill()
    ends = [spill.low, spill.high, spill.mc_error]
    table = pd.concat([fc.win_probability(), fc.chances().loc[[NOBODY, STILL_VOTING]]])
    table.loc["spill"] = [spill.value, *([spill.value, spill.value, 0.0] if fc.spilled or fc.certain else ends)]
    return table


def rounds_so_far(rounds: int) -> str:
    """Return in words which rounds have been announced."""
    return {0: "none was so far", 1: "round 1 was"}.get(rounds, f"rounds 1 to {rounds} were")


def _plain(value: Any) -> Any:
    """Return a value as it stands in a log: whole numbers without a point, None for what is missing."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if value is pd.NA or value is pd.NaT:
        return None
    if hasattr(value, "isoformat"):
        return str(value)
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else int(value) if value.is_integer() else value


def _figures(tally: Any, votes: Mapping[str, Any], papers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a round, of what was handed over as one tally and what was named.

    Raises
    ------
    AnnouncementError
        If the tally is no mapping and no Series, or tells something twice.
    """
    if tally is not None and not isinstance(tally, (Mapping, pd.Series)):
        kinds = "a mapping or a Series of votes by candidate, such as table.loc[1]"
        raise AnnouncementError(f"a tally is {kinds}, got {type(tally).__name__}")
    given = {str(key): value for key, value in ({} if tally is None else dict(tally)).items()}
    named = {**votes, **{key: value for key, value in papers.items() if value is not None}}
    twice = next((key for key in given if key in named), None)
    if twice is not None:
        raise AnnouncementError(f"{twice} is told twice, in the tally and beside it; tell it once")
    both = {**given, **named}
    told = {key: value for key, value in both.items() if key in PAPERS and key != "valid" and _plain(value) is not None}
    valid = both.get("valid")
    return {"votes": {key: value for key, value in both.items() if key not in PAPERS}, "valid": valid, **told}
