"""The public names for type checkers; at run time they are loaded when first asked for."""

from iomsim.charts.interactive import interactive as interactive
from iomsim.charts.report import report as report
from iomsim.charts.sliders import Sliders as Sliders, sliders as sliders
from iomsim.election_day.election_day import (
    ElectionDay as ElectionDay,
    UnexpectedTallyWarning as UnexpectedTallyWarning,
    live as live,
    replay as replay,
)
from iomsim.errors import (
    AnnouncementError as AnnouncementError,
    BlockError as BlockError,
    FileError as FileError,
    IomsimError as IomsimError,
    PairingError as PairingError,
    ScenarioError as ScenarioError,
    UnknownNameError as UnknownNameError,
)
from iomsim.forecasting.drivers import Drivers as Drivers
from iomsim.forecasting.estimates import Estimate as Estimate
from iomsim.forecasting.forecast import Forecast as Forecast, open_forecast as open_forecast
from iomsim.forecasting.run import InterruptedForecastWarning as InterruptedForecastWarning, forecast as forecast
from iomsim.house_style import options as options
from iomsim.model.bodies import bodies as bodies
from iomsim.model.catalogue import (
    catalogue as catalogue,
    dumps as dumps,
    load as load,
    loads as loads,
    parameters as parameters,
    schema as schema,
    start as start,
)
from iomsim.model.clock import Clock as Clock
from iomsim.model.components import (
    Behaviour as Behaviour,
    Candidate as Candidate,
    Sponsor as Sponsor,
    Swing as Swing,
    Tie as Tie,
)
from iomsim.model.electorate import Electorate as Electorate
from iomsim.model.evidence import facts as facts
from iomsim.model.ledger import Ledger as Ledger, Pledge as Pledge
from iomsim.model.pledges import Pledges as Pledges
from iomsim.model.polling import Polling as Polling
from iomsim.model.quantities import Quantity as Quantity
from iomsim.model.scenario import Scenario as Scenario
from iomsim.registered.register import register as register
from iomsim.registered.registration import Registration as Registration, registration as registration
from iomsim.registered.scorebook import scorebook as scorebook
from iomsim.registered.scoring import Score as Score, score as score
from iomsim.rules.phase import Phase as Phase
from iomsim.rules.procedure import Procedure as Procedure
from iomsim.sensitivity.compare import (
    Comparison as Comparison,
    SideBySide as SideBySide,
    compare as compare,
    side_by_side as side_by_side,
)
from iomsim.sensitivity.goal import Paths as Paths, paths_to as paths_to
from iomsim.sensitivity.grid import Grid as Grid, grid as grid
from iomsim.sensitivity.pivotal import Pivotal as Pivotal, pivotal as pivotal
from iomsim.sensitivity.sobol import Sobol as Sobol, sobol as sobol
from iomsim.sensitivity.study import Study as Study
from iomsim.sensitivity.tornado import Tornado as Tornado, tornado as tornado
from iomsim.validation.backtest import backtest as backtest
from iomsim.validation.contest import Contest as Contest
from iomsim.validation.data import contest as contest, contests as contests
from iomsim.validation.fit import Fit as Fit, fit as fit
from iomsim.validation.record import History as History, history as history
from iomsim.validation.similar import Alike as Alike
from iomsim.validation.verdict import Backtest as Backtest

__version__: str
