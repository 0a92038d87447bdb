"""The words of a report: what it is of, its verdicts, its notes."""

from collections.abc import Mapping
from typing import Any

from oracle.analysis.claims.verdict import Verdict, in_sample
from oracle.analysis.results import Results
from oracle.experiment.spec import Experiment
from oracle.plain_text import Quoted, one_line
from oracle.report.advice import advice, needs_text, search_advice
from oracle.report.tables import escape


def setting_text(experiment: Experiment) -> str:
    """Return what an Oracle's result depends on: how many seeds, the tolerance, whose masks."""
    oracle = experiment.oracle
    seeds = f"{len(oracle.seeds)} seed{'s' if len(oracle.seeds) > 1 else ''}"
    return f"{seeds}, tolerance {oracle.tolerance:g} points, follow: {oracle.follow}"


def verdicts_text(results: Results) -> str:
    """Return the verdicts and notes, as Markdown."""
    experiment = results.experiment
    lines = [f"Verdicts on this experiment ({escape.markdown(experiment.title)}; {setting_text(experiment)}):", ""]
    lines += [f"Intervals hold with probability {1 - 2 * results.findings.level:.3g}.", ""]
    for one in results.verdicts:
        lines.append(f"- **{one.claim}**: {one.judgement}. {one.evidence}")
        lines += [f"  - {detail}" for detail in details(one, experiment)]
    lines += [f"- Note: {escape.markdown(note) if isinstance(note, Quoted) else note}" for note in notes(results)]
    lines.append(f"- {escape.markdown(choice_text(experiment))}")
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Return a sentence without the marks that a file has around commands; others' words stay as they are."""
    return text if isinstance(text, Quoted) else text.replace("`", "")


def details(verdict: Verdict, experiment: Experiment) -> list[str]:
    """Return what stands below a verdict, a sentence or two each; what it would take is the last."""
    needs = needs_text(verdict, experiment)
    return [*verdict.details, needs] if needs else list(verdict.details)


def notes(results: Results) -> list[str]:
    """Return what is missing, failed or blocked, and what would close open intervals and searches, a sentence each."""
    experiment = results.experiment
    return [*results.notes, *advice(results.comparison, experiment), *search_advice(results.policies, experiment)]


def environment_text(environment: Mapping[str, Any]) -> str:
    """Return an environment of ``Results.environments`` in words, as Markdown."""
    fields = ", ".join(f"{name} {value}" for name, value in environment.items() if name != "trainings")
    return f"Environment of {environment['trainings']} trainings: {escape.markdown(fields)}."


def choice_text(experiment: Experiment) -> str:
    """Return how SILO's parameters were chosen, and whether on seeds that judge them."""
    text, seeds = f"SILO's parameters: {one_line(experiment.silo.chosen)}", experiment.silo.chosen_on_seeds
    if seeds:
        text += f" (seeds {', '.join(map(str, seeds))})"
    sentences = [
        f"{text}.",
        "In-sample: these seeds judge them." if in_sample(experiment) else "",
        experiment.schedule_text,
    ]
    return " ".join(filter(None, sentences))
