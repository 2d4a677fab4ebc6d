"""What the embedded world knows besides arithmetic: quantities, phenomena, laws, instruments, prefixes, devices. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A physical quantity with what a beginner learns about it."""

    topic: str
    name: str
    symbol: str
    unit: str
    meaning: str
    """Completes `{Name} is ...`."""


@dataclass(frozen=True, kw_only=True)
class Phenomenon:
    """A named effect: what it is, why it happens, where it occurs."""

    topic: str
    name: str
    meaning: str
    """Completes `{Name} is ...`."""
    reason: str
    """A clause that stands alone."""
    example: str
    """A clause that stands alone and does not name the effect."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One fact of the form subject -> answer."""

    topic: str
    subject: str
    answer: str


QUANTITIES = (
    Quantity(
        topic="mechanics",
        name="force",
        symbol="F",
        unit="newton",
        meaning="a push or a pull on a body",
    ),
    Quantity(
        topic="mechanics",
        name="mass",
        symbol="m",
        unit="kilogram",
        meaning="the amount of matter in a body",
    ),
    Quantity(
        topic="mechanics",
        name="speed",
        symbol="v",
        unit="metre per second",
        meaning="the distance covered in each second",
    ),
    Quantity(
        topic="mechanics",
        name="acceleration",
        symbol="a",
        unit="metre per second squared",
        meaning="the change of velocity in each second",
    ),
    Quantity(
        topic="mechanics",
        name="time",
        symbol="t",
        unit="second",
        meaning="what a clock counts between two events",
    ),
    Quantity(
        topic="energy",
        name="work",
        symbol="W",
        unit="joule",
        meaning="the energy that a force passes on along a path",
    ),
    Quantity(
        topic="energy",
        name="power",
        symbol="P",
        unit="watt",
        meaning="the work done in each second",
    ),
    Quantity(
        topic="energy",
        name="kinetic energy",
        symbol="K",
        unit="joule",
        meaning="the energy that a body has because it moves",
    ),
    Quantity(
        topic="momentum",
        name="momentum",
        symbol="p",
        unit="kilogram metre per second",
        meaning="the mass of a body times its velocity",
    ),
    Quantity(
        topic="momentum",
        name="impulse",
        symbol="J",
        unit="newton second",
        meaning="the force on a body times the time it acts",
    ),
    Quantity(
        topic="rotation",
        name="torque",
        symbol="M",
        unit="newton metre",
        meaning="the turning effect of a force about an axis",
    ),
    Quantity(
        topic="rotation",
        name="angular speed",
        symbol="w",
        unit="radian per second",
        meaning="the angle turned in each second",
    ),
    Quantity(
        topic="gravitation",
        name="weight",
        symbol="G",
        unit="newton",
        meaning="the pull of a planet on a body",
    ),
    Quantity(
        topic="gravitation",
        name="field strength",
        symbol="g",
        unit="newton per kilogram",
        meaning="the pull of a planet on each kilogram",
    ),
    Quantity(
        topic="fluids",
        name="pressure",
        symbol="P",
        unit="pascal",
        meaning="the force that presses on each square metre",
    ),
    Quantity(
        topic="fluids",
        name="density",
        symbol="d",
        unit="kilogram per cubic metre",
        meaning="the mass packed into each cubic metre",
    ),
    Quantity(
        topic="heat",
        name="temperature",
        symbol="T",
        unit="kelvin",
        meaning="how hot or cold a body is",
    ),
    Quantity(
        topic="heat",
        name="heat",
        symbol="Q",
        unit="joule",
        meaning="energy that flows from hot to cold",
    ),
    Quantity(
        topic="waves",
        name="frequency",
        symbol="f",
        unit="hertz",
        meaning="the number of vibrations in each second",
    ),
    Quantity(
        topic="waves",
        name="wavelength",
        symbol="l",
        unit="metre",
        meaning="the distance from one crest to the next",
    ),
    Quantity(
        topic="waves",
        name="period",
        symbol="T",
        unit="second",
        meaning="the time for one full vibration",
    ),
    Quantity(
        topic="circuits",
        name="electric charge",
        symbol="q",
        unit="coulomb",
        meaning="what electrons carry and what makes bodies attract or repel",
    ),
    Quantity(
        topic="circuits",
        name="current",
        symbol="I",
        unit="ampere",
        meaning="the charge that passes in each second",
    ),
    Quantity(
        topic="circuits",
        name="voltage",
        symbol="V",
        unit="volt",
        meaning="the energy given to each coulomb",
    ),
    Quantity(
        topic="circuits",
        name="resistance",
        symbol="R",
        unit="ohm",
        meaning="how strongly a wire hinders the current",
    ),
    Quantity(
        topic="magnetism",
        name="magnetic field",
        symbol="B",
        unit="tesla",
        meaning="the region where a magnet acts on moving charge",
    ),
    Quantity(
        topic="magnetism",
        name="magnetic flux",
        symbol="N",
        unit="weber",
        meaning="the amount of magnetic field through a loop",
    ),
    Quantity(
        topic="optics",
        name="lens power",
        symbol="D",
        unit="dioptre",
        meaning="one divided by the focal length",
    ),
)

PHENOMENA = (
    Phenomenon(
        topic="mechanics",
        name="inertia",
        meaning="the tendency of a body to keep its motion",
        reason="only a net force changes the velocity",
        example="a passenger lurches forward when a bus brakes",
    ),
    Phenomenon(
        topic="mechanics",
        name="friction",
        meaning="the force that resists sliding between surfaces",
        reason="rough surfaces catch on each other",
        example="a pushed box soon stops on the floor",
    ),
    Phenomenon(
        topic="mechanics",
        name="free fall",
        meaning="motion under gravity alone",
        reason="heavier bodies need more force by the same factor",
        example="a feather and a hammer drop together on the Moon",
    ),
    Phenomenon(
        topic="mechanics",
        name="equilibrium",
        meaning="the state in which all forces cancel",
        reason="the net force and the net torque are zero",
        example="a book lies at rest on a table",
    ),
    Phenomenon(
        topic="energy",
        name="energy conservation",
        meaning="the rule that total energy stays constant",
        reason="energy only turns from one form into another",
        example="a swinging pendulum trades height for speed",
    ),
    Phenomenon(
        topic="momentum",
        name="recoil",
        meaning="the backward kick when something is thrown forward",
        reason="total momentum stays zero",
        example="a gun jumps back when it fires",
    ),
    Phenomenon(
        topic="momentum",
        name="elastic collision",
        meaning="a collision that keeps kinetic energy",
        reason="all bodies spring back to their shape",
        example="two steel balls bounce apart at full speed",
    ),
    Phenomenon(
        topic="rotation",
        name="centripetal force",
        meaning="the inward force that keeps a body on a circle",
        reason="velocity keeps changing direction toward the centre",
        example="a string holds a whirled stone",
    ),
    Phenomenon(
        topic="rotation",
        name="angular momentum conservation",
        meaning="the rule that spin stays constant when torque is absent",
        reason="a smaller radius must be matched by a faster turn",
        example="a skater spins faster with arms pulled in",
    ),
    Phenomenon(
        topic="gravitation",
        name="orbit",
        meaning="the endless fall of a moving body around a planet",
        reason="gravity bends the path while the body moves sideways",
        example="the Moon circles the Earth",
    ),
    Phenomenon(
        topic="gravitation",
        name="weightlessness",
        meaning="the feeling of a body that falls freely",
        reason="body and cabin fall at the same rate",
        example="astronauts float inside a space station",
    ),
    Phenomenon(
        topic="fluids",
        name="buoyancy",
        meaning="the upward push of a fluid on a body",
        reason="pressure is larger at the bottom than at the top",
        example="a cork floats on a pond",
    ),
    Phenomenon(
        topic="fluids",
        name="viscosity",
        meaning="the inner friction of a liquid",
        reason="layers of the liquid rub against each other",
        example="honey pours slowly from a jar",
    ),
    Phenomenon(
        topic="fluids",
        name="surface tension",
        meaning="the skin effect at the top of a liquid",
        reason="molecules at the surface are pulled inward",
        example="an insect walks on a lake",
    ),
    Phenomenon(
        topic="heat",
        name="conduction",
        meaning="the passing of heat through touching matter",
        reason="fast particles knock their slow neighbours",
        example="a metal spoon in tea becomes hot",
    ),
    Phenomenon(
        topic="heat",
        name="convection",
        meaning="the carrying of heat by a moving fluid",
        reason="warm fluid is lighter and rises",
        example="a radiator heats a whole room",
    ),
    Phenomenon(
        topic="heat",
        name="thermal radiation",
        meaning="the sending out of heat as waves",
        reason="hot bodies emit infrared light",
        example="the Sun warms the Earth through empty space",
    ),
    Phenomenon(
        topic="heat",
        name="evaporation",
        meaning="the escape of molecules from a liquid",
        reason="the fastest molecules leave and take energy away",
        example="sweat cools the skin",
    ),
    Phenomenon(
        topic="heat",
        name="thermal expansion",
        meaning="the growth of a body when it is heated",
        reason="hotter particles swing wider and need more room",
        example="gaps are left between railway rails",
    ),
    Phenomenon(
        topic="waves",
        name="resonance",
        meaning="the strong response at the natural frequency",
        reason="each small push adds to the swing",
        example="a glass breaks when a singer hits one note",
    ),
    Phenomenon(
        topic="waves",
        name="interference",
        meaning="the adding of two waves that meet",
        reason="crests strengthen crests and cancel troughs",
        example="quiet spots appear between two loudspeakers",
    ),
    Phenomenon(
        topic="waves",
        name="diffraction",
        meaning="the spreading of a wave behind an opening",
        reason="every point of the gap sends out new waves",
        example="voices are heard around a corner",
    ),
    Phenomenon(
        topic="waves",
        name="Doppler effect",
        meaning="the change of pitch when a source moves",
        reason="the crests are crowded together in front",
        example="a siren sounds higher as it approaches",
    ),
    Phenomenon(
        topic="waves",
        name="echo",
        meaning="the return of a sound from a wall",
        reason="sound bounces off hard surfaces",
        example="a shout in a valley is heard again",
    ),
    Phenomenon(
        topic="circuits",
        name="short circuit",
        meaning="a path of tiny resistance across a source",
        reason="the current grows very large",
        example="a fuse melts when bare wires touch",
    ),
    Phenomenon(
        topic="circuits",
        name="static electricity",
        meaning="the build up of charge by rubbing",
        reason="electrons move from one surface to the other",
        example="a balloon sticks to hair",
    ),
    Phenomenon(
        topic="magnetism",
        name="electromagnetic induction",
        meaning="the making of voltage by a changing magnetic flux",
        reason="the change pushes charge around the loop",
        example="a dynamo lights a bicycle lamp",
    ),
    Phenomenon(
        topic="magnetism",
        name="ferromagnetism",
        meaning="the strong lasting magnetism of iron",
        reason="tiny domains line up together",
        example="a nail stays magnetic near a magnet",
    ),
    Phenomenon(
        topic="optics",
        name="refraction",
        meaning="the bending of light at a boundary",
        reason="light changes its speed in a new medium",
        example="a straw in a glass of water looks broken",
    ),
    Phenomenon(
        topic="optics",
        name="reflection",
        meaning="the throwing back of light by a surface",
        reason="the angle out equals the angle in",
        example="a face is seen in a calm lake",
    ),
    Phenomenon(
        topic="optics",
        name="dispersion",
        meaning="the splitting of white light into colours",
        reason="each colour bends by another angle",
        example="a prism paints a rainbow on the wall",
    ),
    Phenomenon(
        topic="optics",
        name="scattering",
        meaning="the turning aside of light by small particles",
        reason="blue light is turned aside more than red",
        example="the sky looks blue at noon",
    ),
)

INSTRUMENTS = (
    Pair(topic="heat", subject="thermometer", answer="temperature"),
    Pair(topic="circuits", subject="ammeter", answer="current"),
    Pair(topic="circuits", subject="voltmeter", answer="voltage"),
    Pair(topic="fluids", subject="barometer", answer="air pressure"),
    Pair(topic="mechanics", subject="stopwatch", answer="time"),
    Pair(topic="mechanics", subject="ruler", answer="length"),
    Pair(topic="mechanics", subject="beam balance", answer="mass"),
    Pair(topic="mechanics", subject="spring scale", answer="force"),
    Pair(topic="mechanics", subject="speedometer", answer="speed"),
    Pair(topic="rotation", subject="tachometer", answer="rate of rotation"),
    Pair(topic="rotation", subject="protractor", answer="angle"),
    Pair(topic="magnetism", subject="magnetometer", answer="magnetic field"),
    Pair(topic="optics", subject="photometer", answer="brightness"),
    Pair(topic="waves", subject="sound meter", answer="loudness"),
    Pair(topic="waves", subject="seismograph", answer="ground shaking"),
    Pair(topic="gravitation", subject="altimeter", answer="height"),
)

LAWS = (
    Pair(topic="circuits", subject="Ohm's law", answer="voltage and current"),
    Pair(topic="mechanics", subject="Hooke's law", answer="spring force and stretch"),
    Pair(topic="heat", subject="Boyle's law", answer="pressure and volume of a gas"),
    Pair(topic="fluids", subject="Archimedes' principle", answer="buoyant force and displaced fluid"),
    Pair(topic="fluids", subject="Bernoulli's principle", answer="speed and pressure of a fluid"),
    Pair(topic="mechanics", subject="Newton's first law", answer="rest and steady motion without force"),
    Pair(topic="mechanics", subject="Newton's second law", answer="force and acceleration"),
    Pair(topic="optics", subject="Snell's law", answer="angles of a refracted ray"),
    Pair(topic="magnetism", subject="Faraday's law", answer="induced voltage and changing flux"),
    Pair(topic="circuits", subject="Coulomb's law", answer="force between two charges"),
)

PREFIXES = (
    Pair(topic="units", subject="kilo", answer="a thousand"),
    Pair(topic="units", subject="mega", answer="a million"),
    Pair(topic="units", subject="giga", answer="a billion"),
    Pair(topic="units", subject="hecto", answer="a hundred"),
    Pair(topic="units", subject="deca", answer="ten"),
    Pair(topic="units", subject="deci", answer="a tenth"),
    Pair(topic="units", subject="centi", answer="a hundredth"),
    Pair(topic="units", subject="milli", answer="a thousandth"),
    Pair(topic="units", subject="micro", answer="a millionth"),
    Pair(topic="units", subject="nano", answer="a billionth"),
)

DEVICES = (
    Pair(topic="energy", subject="battery", answer="chemical energy into electrical energy"),
    Pair(topic="energy", subject="electric motor", answer="electrical energy into motion"),
    Pair(topic="magnetism", subject="generator", answer="motion into electrical energy"),
    Pair(topic="optics", subject="solar cell", answer="light into electrical energy"),
    Pair(topic="optics", subject="lamp", answer="electrical energy into light"),
    Pair(topic="waves", subject="loudspeaker", answer="electrical energy into sound"),
    Pair(topic="waves", subject="microphone", answer="sound into electrical energy"),
    Pair(topic="heat", subject="toaster", answer="electrical energy into heat"),
    Pair(topic="energy", subject="muscle", answer="chemical energy into motion"),
    Pair(topic="energy", subject="fire", answer="chemical energy into heat"),
)
