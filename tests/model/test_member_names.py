"""Members are found by what people call them; a name that is known never means, or suggests, another state."""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

import iomsim as iom
from iomsim.model import names
from iomsim.model.electorate import members_of
from iomsim.model.evidence import shipped_names
from iomsim.model.names import alike, bare, find, states, states_called

ROOT = Path(__file__).parents[2]
AB = "candidates = [{ name = 'A' }, { name = 'B' }]\n"


@pytest.fixture(scope="module")
def geneva() -> pd.DataFrame:
    return iom.load("geneva-2023").electorate.frame


def table(**columns: list[object]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame if "id" in frame else frame.assign(id=frame["name"])


def found(members: pd.DataFrame, name: str) -> str:
    return str(members["id"].iloc[find(members, name)])


def refusal(members: pd.DataFrame, name: str) -> str:
    with pytest.raises(iom.UnknownNameError) as caught:
        find(members, name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- the table of states -------------------------------------------------------------------------------------------


def test_the_states_have_codes_of_their_own_and_cover_every_shipped_table() -> None:
    known = states()
    assert len(known) == 193 + 2 + 2  # the United Nations, the two observers, the two states in free association
    for kind, form in enumerate((r"[A-Z]{3}", r"[A-Z]{2}", r"\d{3}")):
        codes = [state.codes[kind] for state in known.values()]
        assert len(set(codes)) == len(codes)
        assert all(re.fullmatch(form, code) for code in codes)
    for name in shipped_names("members", ".csv"):
        with (ROOT / "seeds" / "members" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                assert states_called(row["name"])[0].iso3 == states_called(row["iso3"])[0].iso3 == row["iso3"]


@pytest.mark.parametrize("fold", [alike, bare])
def test_only_three_names_mean_several_states(fold: object) -> None:
    meant: dict[str, set[str]] = {}
    for state in states().values():
        for name in (*state.codes, state.name, *state.aliases):
            meant.setdefault(fold(name), set()).add(state.iso3)  # type: ignore[operator]
    assert {name: codes for name, codes in meant.items() if len(codes) > 1} == {
        "congo": {"COG", "COD"},
        "guinea": {"GIN", "GNB", "GNQ"},
        "korea": {"KOR", "PRK"},
    }


# -- who is found --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UK", "GBR"), ("gb", "GBR"), ("Britain", "GBR"), ("826", "GBR"), ("U.K.", "GBR"),
        ("United Kingdom of Great Britain and Northern Ireland", "GBR"),
        ("South Korea", "KOR"), ("Korea, Rep.", "KOR"), ("Turkey", "TUR"), ("Turkiye", "TUR"), ("TÜRKİYE", "TUR"),
        ("Bolivia", "BOL"), ("bolivia", "BOL"), ("068", "BOL"), ("Ivory Coast", "CIV"), ("Cote d'Ivoire", "CIV"),
        ("C\u00f4te d\u2019Ivoire", "CIV"), ("Co\u0302te d'Ivoire", "CIV"), ("COTE D`IVOIRE", "CIV"),
        ("Swaziland", "SWZ"), ("Cape Verde", "CPV"), ("Vatican", "VAT"), ("Burma", "MMR"), ("Czech Republic", "CZE"),
        ("Macedonia", "MKD"), ("Laos", "LAO"), ("Moldova", "MDA"), ("Russia", "RUS"), ("Tanzania", "TZA"),
        ("Venezuela", "VEN"), ("Vietnam", "VNM"), ("Iran", "IRN"), ("Micronesia", "FSM"), ("DRC", "COD"),
        ("Congo (Kinshasa)", "COD"), ("Congo-Brazzaville", "COG"), ("Congo\N{EN DASH}Brazzaville", "COG"),
        ("The Gambia", "GMB"), ("Bahamas (the)", "BHS"), ("USA", "USA"), ("US", "USA"), ("America", "USA"),
        ("East Timor", "TLS"), ("St. Lucia", "LCA"), ("St Vincent & the Grenadines", "VCT"), ("Guinea Bissau", "GNB"),
        ("São Tomé and Príncipe", "STP"), ("Holland", "NLD"), ("NA", "NAM"), ("012", "DZA"), (" fra ", "FRA"),
        # what the table says comes first, whatever else the name may mean
        ("Congo", "COG"), ("Guinea", "GIN"), ("Niger", "NER"), ("Sudan", "SDN"),
        # the other one of two is not there
        ("Korea", "KOR"),
    ],
)  # fmt: skip
def test_states_by_the_names_in_use(geneva: pd.DataFrame, name: str, code: str) -> None:
    assert found(geneva, name) == code


@pytest.mark.slow
def test_every_code_and_name_of_a_member_is_found(geneva: pd.DataFrame) -> None:
    """All but what may mean several, of which the table has one by that very name."""
    for state in states().values():
        if state.iso3 not in set(geneva["id"]):
            continue
        for name in (*state.codes, state.name, *state.aliases):
            meant = found(geneva, name)
            assert meant == state.iso3 or name in ("Congo", "Guinea"), name


def test_what_the_table_says_comes_before_every_alias() -> None:
    there = table(id=["UK", "x", "GBR"], name=["Ukraine", "Britain", "Gibraltar"])
    assert [found(there, name) for name in ("UK", "Britain", "GBR", "Gibraltar")] == ["UK", "x", "GBR", "GBR"]
    assert found(there, "uk") == "UK"


@pytest.mark.parametrize(
    "members",
    [
        table(name=["Perú", "Chile"], iso3=["PER", "CHL"]),
        table(name=["a", "b"], **{"ISO2": ["PE", "CL"]}),
        table(name=["a", "b"], **{"ISO3166-1-Alpha-3": ["PER", "CHL"]}),
        table(name=["a", "b"], **{"M49 code": [604, 152]}),
        table(name=["604", "152"]),
        table(id=["PER", "CHL"], name=["a", "b"]),
        table(id=["1", "2"], name=["Republic of Peru", "Republic of Chile"]),
        table(id=["CHL", "2"], name=["Republic of Peru", "Chile"]),  # somebody else's codes: the name says it
    ],
)
def test_a_member_is_a_state_by_a_column_of_codes_its_name_or_its_id(members: pd.DataFrame) -> None:
    assert find(members, "Peru") == 0
    assert find(members, "pe") == 0
    assert find(members, "Republic of Chile") == 1


def test_m49_codes_that_lost_their_zeros_in_a_column_of_numbers() -> None:
    there = table(name=["a", "b"], m49=[4, 12])
    assert [find(there, name) for name in ("Afghanistan", "004", "Algeria", "dz")] == [0, 0, 1, 1]


def test_accents_are_the_same_composed_or_not_in_names_and_in_values(tmp_path: Path) -> None:
    there = unicodedata.normalize("NFD", "name,region\nCôte d'Ivoire,Région\nPerú,Andes\n")
    (tmp_path / "m.csv").write_text(there, encoding="utf-8")
    for who in ('["Côte d\'Ivoire"]', '["CÔTE D`IVOIRE"]', '"region=Région"'):
        tie = f"ties = [{{ name = 't', who = {who}, candidate = 'A', log_odds = 1.0 }}]"
        race = iom.loads(f"{AB}electorate.members = 'm.csv'\n{tie}", folder=tmp_path)
        assert race.tie_table[0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", ["José", "jose\u0301", "JOSE", "jose"])
def test_names_that_no_state_has(name: str) -> None:
    assert found(table(name=["José", "Josef"]), name) == "José"


def test_two_that_differ_in_capitals_or_accents_only_are_told_apart_by_writing_them() -> None:
    there = table(name=["Ines", "Inés", "INES"])
    assert [find(there, name) for name in ("Ines", "Inés", "INES", "ine\u0301s")] == [0, 1, 2, 1]
    assert refusal(there, "ines") == "'ines' may mean Ines or INES; write the one that is meant"
    assert refusal(there, "inès") == "'inès' may mean Ines, Inés or INES; write the one that is meant"


# -- who is not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "name", "said"),
    [
        (["Republic of Korea", "DPRK"], "Korea",
         "'Korea' may mean Republic of Korea or DPRK; write the one that is meant"),
        (["DR Congo", "Congo (Brazzaville)"], "Congo",
         "'Congo' may mean DR Congo or Congo (Brazzaville); write the one that is meant"),
        (["Republic of Guinea", "Guinea-Bissau"], "guinea",
         "'guinea' may mean Republic of Guinea or Guinea-Bissau; write the one that is meant"),
        # the state of that very name is not there: the other is not meant
        (["DR Congo", "Chad"], "Congo",
         "no member named 'Congo'; Congo (COG) or Democratic Republic of the Congo (COD) is not in the member table"),
        (["Equatorial Guinea", "Chad"], "Guinea", None),
    ],
)  # fmt: skip
def test_a_name_that_may_mean_several_is_refused(there: list[str], name: str, said: str | None) -> None:
    told = refusal(table(name=there), name)
    assert said is None or told == said
    assert "did you mean" not in told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Iraq", "no member named 'Iraq'; Iraq (IRQ) is not in the member table"),
        ("UAE", "no member named 'UAE'; United Arab Emirates (ARE) is not in the member table"),
        ("North Korea", "no member named 'North Korea'; Democratic People's Republic of Korea (PRK) is not in the "
                        "member table"),
        ("Irak", "no member named 'Irak'; Iraq (IRQ), if that is meant, is not in the member table"),
        ("Frnace", "no member named 'Frnace'; did you mean 'France'?"),
        ("Swasiland", "no member named 'Swasiland'; did you mean 'Eswatini'?"),
        ("Brit", "no member named 'Brit'; did you mean 'United Kingdom'?"),
        ("Plurinational", "no member named 'Plurinational'; did you mean 'Bolivia (Plurinational State of)'?"),
        ("Fiji Islands", "no member named 'Fiji Islands'; did you mean 'Fiji'?"),  # and not the Maldive Islands
        ("Saint", "no member named 'Saint'; did you mean 'Saint Kitts and Nevis', 'Saint Lucia' or "
                  "'Saint Vincent and the Grenadines'?"),
        ("XK", "no member named 'XK'; there are Afghanistan, "),
        ("UKA", "no member named 'UKA'; there are Afghanistan, "),
        ("", "no member named ''; there are Afghanistan, "),
    ],
)  # fmt: skip
def test_the_advice_is_the_member_that_was_meant_or_none(geneva: pd.DataFrame, name: str, said: str) -> None:
    assert refusal(geneva, name).startswith(said)


@pytest.mark.slow
def test_no_state_is_ever_another_one(geneva: pd.DataFrame) -> None:
    """Of all that a state is called, without its row in the table: refused, and nobody else is suggested."""
    for state in states().values():
        others = geneva[geneva["id"] != state.iso3]
        for name in (*state.codes, state.name, *state.aliases):
            if {alike(name), name} & {"congo", "guinea", "korea"}:
                continue
            assert "did you mean" not in refusal(others, name)


def test_nothing_is_known_of_states_where_there_are_none() -> None:
    assert refusal(table(name=["M1", "M2"]), "Chad") == "no member named 'Chad'; there are M1, M2"
    assert refusal(table(name=["M1", "M2"]), "M22") == "no member named 'M22'; did you mean 'M2'?"


# -- wherever members are named ------------------------------------------------------------------------------------


def test_names_in_use_serve_everywhere() -> None:
    def written(one: str, other: str) -> iom.Scenario:
        who = f"pinned = {{ A = {one} }}, barred = {{ B = {one} }}, without_vote = {other}"
        ties = f"ties = [{{ name = 't', who = {other}, candidate = 'A', log_odds = 1 }}]\n"
        return iom.loads(f"{AB}{ties}electorate = {{ members = 'iom-2023', {who} }}")

    spoken, coded = written("['UK']", "['Turkey']"), written("['GBR']", "['TUR']")
    for part in ("pins", "votes", "barred", "tie_table"):
        assert (getattr(spoken, part) == getattr(coded, part)).all(), part
    assert (spoken.with_pinned(A=["South Korea"]).pins == coded.with_pinned(A=["KOR"]).pins).all()
    with pytest.raises(iom.ScenarioError, match=r"^scenario: Türkiye is pinned twice; name it once$"):
        written("['Turkey', 'TUR']", "['UK']")


def test_a_name_alone_is_a_group_of_one_where_groups_are_asked_for(geneva: pd.DataFrame) -> None:
    assert members_of(geneva, "UK").tolist() == (geneva["id"] == "GBR").tolist()
    assert members_of(geneva, "eu").sum() == 27


def test_a_selector_that_is_a_name_is_told_to_be_a_list() -> None:
    text = 'candidates = [{ name = "A" }, { name = "B" }]\nelectorate.members = "iom-2023"\n'
    tie = 'ties = [{ name = "t", who = "Turkey", candidate = "A", log_odds = 1 }]'
    with pytest.raises(
        iom.IomsimError, match=r"no column 'Turkey' in the member table; members are named in a list: \['Turkey'\]$"
    ):
        iom.loads(text + tie)


def test_looking_up_is_remembered() -> None:
    """Ten thousand members are folded once."""
    there = table(name=[f"Member {i}" for i in range(3000)])
    names._indexed.cache_clear()
    for i in range(5):
        assert find(there, f"MEMBER {i}") == i
    assert names._indexed.cache_info().misses == 1
