"""What the embedded world knows besides arithmetic: quantities, phenomena, laws, instruments, prefixes, devices. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """A physical quantity with what a beginner learns about it."""

    topic: str
    name: str
    symbol: str
    unit: str
    meaning: str
    """Completes `{Name} is ...`."""


@dataclass(frozen=True)
class Phenomenon:
    """A named effect: what it is, why it happens, where one meets it."""

    topic: str
    name: str
    meaning: str
    """Completes `{Name} is ...`."""
    reason: str
    """A clause that stands alone."""
    example: str
    """A clause that stands alone and does not name the effect."""


@dataclass(frozen=True)
class Pair:
    """One fact of the form subject -> answer."""

    topic: str
    subject: str
    answer: str


QUANTITIES = (
    Quantity("mechanics", "force", "F", "newton", "a push or a pull on a body"),
    Quantity("mechanics", "mass", "m", "kilogram", "the amount of matter in a body"),
    Quantity("mechanics", "speed", "v", "metre per second", "the distance covered in each second"),
    Quantity("mechanics", "acceleration", "a", "metre per second squared", "the change of velocity in each second"),
    Quantity("mechanics", "time", "t", "second", "what a clock counts between two events"),
    Quantity("energy", "work", "W", "joule", "the energy that a force passes on along a path"),
    Quantity("energy", "power", "P", "watt", "the work done in each second"),
    Quantity("energy", "kinetic energy", "K", "joule", "the energy that a body has because it moves"),
    Quantity("momentum", "momentum", "p", "kilogram metre per second", "the mass of a body times its velocity"),
    Quantity("momentum", "impulse", "J", "newton second", "the force on a body times the time it acts"),
    Quantity("rotation", "torque", "M", "newton metre", "the turning effect of a force about an axis"),
    Quantity("rotation", "angular speed", "w", "radian per second", "the angle turned in each second"),
    Quantity("gravitation", "weight", "G", "newton", "the pull of a planet on a body"),
    Quantity("gravitation", "field strength", "g", "newton per kilogram", "the pull of a planet on each kilogram"),
    Quantity("fluids", "pressure", "P", "pascal", "the force that presses on each square metre"),
    Quantity("fluids", "density", "d", "kilogram per cubic metre", "the mass packed into each cubic metre"),
    Quantity("heat", "temperature", "T", "kelvin", "how hot or cold a body is"),
    Quantity("heat", "heat", "Q", "joule", "energy that flows from hot to cold"),
    Quantity("waves", "frequency", "f", "hertz", "the number of vibrations in each second"),
    Quantity("waves", "wavelength", "l", "metre", "the distance from one crest to the next"),
    Quantity("waves", "period", "T", "second", "the time for one full vibration"),
    Quantity("circuits", "electric charge", "q", "coulomb", "what electrons carry and what makes bodies attract or repel"),
    Quantity("circuits", "current", "I", "ampere", "the charge that passes in each second"),
    Quantity("circuits", "voltage", "V", "volt", "the energy given to each coulomb"),
    Quantity("circuits", "resistance", "R", "ohm", "how strongly a wire hinders the current"),
    Quantity("magnetism", "magnetic field", "B", "tesla", "the region where a magnet acts on moving charge"),
    Quantity("magnetism", "magnetic flux", "N", "weber", "the amount of magnetic field through a loop"),
    Quantity("optics", "lens power", "D", "dioptre", "one divided by the focal length"),
)

PHENOMENA = (
    Phenomenon(
        "mechanics",
        "inertia",
        "the tendency of a body to keep its motion",
        "only a net force changes the velocity",
        "a passenger lurches forward when a bus brakes",
    ),
    Phenomenon(
        "mechanics",
        "friction",
        "the force that resists sliding between surfaces",
        "rough surfaces catch on each other",
        "a pushed box soon stops on the floor",
    ),
    Phenomenon(
        "mechanics",
        "free fall",
        "motion under gravity alone",
        "heavier bodies need more force by the same factor",
        "a feather and a hammer drop together on the Moon",
    ),
    Phenomenon(
        "mechanics",
        "equilibrium",
        "the state in which all forces cancel",
        "the net force and the net torque are zero",
        "a book lies at rest on a table",
    ),
    Phenomenon(
        "energy",
        "energy conservation",
        "the rule that total energy stays constant",
        "energy only turns from one form into another",
        "a swinging pendulum trades height for speed",
    ),
    Phenomenon(
        "momentum",
        "recoil",
        "the backward kick when something is thrown forward",
        "total momentum stays zero",
        "a gun jumps back when it fires",
    ),
    Phenomenon(
        "momentum",
        "elastic collision",
        "a collision that keeps kinetic energy",
        "all bodies spring back to their shape",
        "two steel balls bounce apart at full speed",
    ),
    Phenomenon(
        "rotation",
        "centripetal force",
        "the inward force that keeps a body on a circle",
        "velocity keeps changing direction toward the centre",
        "a string holds a whirled stone",
    ),
    Phenomenon(
        "rotation",
        "angular momentum conservation",
        "the rule that spin stays constant when torque is absent",
        "a smaller radius must be matched by a faster turn",
        "a skater spins faster with arms pulled in",
    ),
    Phenomenon(
        "gravitation",
        "orbit",
        "the endless fall of a moving body around a planet",
        "gravity bends the path while the body moves sideways",
        "the Moon circles the Earth",
    ),
    Phenomenon(
        "gravitation",
        "weightlessness",
        "the feeling of a body that falls freely",
        "body and cabin fall at the same rate",
        "astronauts float inside a space station",
    ),
    Phenomenon(
        "fluids",
        "buoyancy",
        "the upward push of a fluid on a body",
        "pressure is larger at the bottom than at the top",
        "a cork floats on a pond",
    ),
    Phenomenon(
        "fluids",
        "viscosity",
        "the inner friction of a liquid",
        "layers of the liquid rub against each other",
        "honey pours slowly from a jar",
    ),
    Phenomenon(
        "fluids",
        "surface tension",
        "the skin effect at the top of a liquid",
        "molecules at the surface are pulled inward",
        "an insect walks on a lake",
    ),
    Phenomenon(
        "heat",
        "conduction",
        "the passing of heat through touching matter",
        "fast particles knock their slow neighbours",
        "a metal spoon in tea becomes hot",
    ),
    Phenomenon(
        "heat", "convection", "the carrying of heat by a moving fluid", "warm fluid is lighter and rises", "a radiator heats a whole room"
    ),
    Phenomenon(
        "heat",
        "thermal radiation",
        "the sending out of heat as waves",
        "hot bodies emit infrared light",
        "the Sun warms the Earth through empty space",
    ),
    Phenomenon(
        "heat",
        "evaporation",
        "the escape of molecules from a liquid",
        "the fastest molecules leave and take energy away",
        "sweat cools the skin",
    ),
    Phenomenon(
        "heat",
        "thermal expansion",
        "the growth of a body when it is heated",
        "hotter particles swing wider and need more room",
        "gaps are left between railway rails",
    ),
    Phenomenon(
        "waves",
        "resonance",
        "the strong response at the natural frequency",
        "each small push adds to the swing",
        "a glass breaks when a singer hits one note",
    ),
    Phenomenon(
        "waves",
        "interference",
        "the adding of two waves that meet",
        "crests strengthen crests and cancel troughs",
        "quiet spots appear between two loudspeakers",
    ),
    Phenomenon(
        "waves",
        "diffraction",
        "the spreading of a wave behind an opening",
        "every point of the gap sends out new waves",
        "voices are heard around a corner",
    ),
    Phenomenon(
        "waves",
        "Doppler effect",
        "the change of pitch when a source moves",
        "the crests are crowded together in front",
        "a siren sounds higher as it approaches",
    ),
    Phenomenon(
        "waves", "echo", "the return of a sound from a wall", "sound bounces off hard surfaces", "a shout in a valley is heard again"
    ),
    Phenomenon(
        "circuits",
        "short circuit",
        "a path of tiny resistance across a source",
        "the current grows very large",
        "a fuse melts when bare wires touch",
    ),
    Phenomenon(
        "circuits",
        "static electricity",
        "the build up of charge by rubbing",
        "electrons move from one surface to the other",
        "a balloon sticks to hair",
    ),
    Phenomenon(
        "magnetism",
        "electromagnetic induction",
        "the making of voltage by a changing magnetic flux",
        "the change pushes charge around the loop",
        "a dynamo lights a bicycle lamp",
    ),
    Phenomenon(
        "magnetism",
        "ferromagnetism",
        "the strong lasting magnetism of iron",
        "tiny domains line up together",
        "a nail stays magnetic near a magnet",
    ),
    Phenomenon(
        "optics",
        "refraction",
        "the bending of light at a boundary",
        "light changes its speed in a new medium",
        "a straw in a glass of water looks broken",
    ),
    Phenomenon(
        "optics",
        "reflection",
        "the throwing back of light by a surface",
        "the angle out equals the angle in",
        "a face is seen in a calm lake",
    ),
    Phenomenon(
        "optics",
        "dispersion",
        "the splitting of white light into colours",
        "each colour bends by another angle",
        "a prism paints a rainbow on the wall",
    ),
    Phenomenon(
        "optics",
        "scattering",
        "the turning aside of light by small particles",
        "blue light is turned aside more than red",
        "the sky looks blue at noon",
    ),
)

INSTRUMENTS = (
    Pair("heat", "thermometer", "temperature"),
    Pair("circuits", "ammeter", "current"),
    Pair("circuits", "voltmeter", "voltage"),
    Pair("fluids", "barometer", "air pressure"),
    Pair("mechanics", "stopwatch", "time"),
    Pair("mechanics", "ruler", "length"),
    Pair("mechanics", "beam balance", "mass"),
    Pair("mechanics", "spring scale", "force"),
    Pair("mechanics", "speedometer", "speed"),
    Pair("rotation", "tachometer", "rate of rotation"),
    Pair("rotation", "protractor", "angle"),
    Pair("magnetism", "magnetometer", "magnetic field"),
    Pair("optics", "photometer", "brightness"),
    Pair("waves", "sound meter", "loudness"),
    Pair("waves", "seismograph", "ground shaking"),
    Pair("gravitation", "altimeter", "height"),
)

LAWS = (
    Pair("circuits", "Ohm's law", "voltage and current"),
    Pair("mechanics", "Hooke's law", "spring force and stretch"),
    Pair("heat", "Boyle's law", "pressure and volume of a gas"),
    Pair("fluids", "Archimedes' principle", "buoyant force and displaced fluid"),
    Pair("fluids", "Bernoulli's principle", "speed and pressure of a fluid"),
    Pair("mechanics", "Newton's first law", "rest and steady motion without force"),
    Pair("mechanics", "Newton's second law", "force and acceleration"),
    Pair("optics", "Snell's law", "angles of a refracted ray"),
    Pair("magnetism", "Faraday's law", "induced voltage and changing flux"),
    Pair("circuits", "Coulomb's law", "force between two charges"),
)

PREFIXES = (
    Pair("units", "kilo", "a thousand"),
    Pair("units", "mega", "a million"),
    Pair("units", "giga", "a billion"),
    Pair("units", "hecto", "a hundred"),
    Pair("units", "deca", "ten"),
    Pair("units", "deci", "a tenth"),
    Pair("units", "centi", "a hundredth"),
    Pair("units", "milli", "a thousandth"),
    Pair("units", "micro", "a millionth"),
    Pair("units", "nano", "a billionth"),
)

DEVICES = (
    Pair("energy", "battery", "chemical energy into electrical energy"),
    Pair("energy", "electric motor", "electrical energy into motion"),
    Pair("magnetism", "generator", "motion into electrical energy"),
    Pair("optics", "solar cell", "light into electrical energy"),
    Pair("optics", "lamp", "electrical energy into light"),
    Pair("waves", "loudspeaker", "electrical energy into sound"),
    Pair("waves", "microphone", "sound into electrical energy"),
    Pair("heat", "toaster", "electrical energy into heat"),
    Pair("energy", "muscle", "chemical energy into motion"),
    Pair("energy", "fire", "chemical energy into heat"),
)
