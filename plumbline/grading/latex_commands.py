"""LaTeX commands that only change the look of a text, and those that relate two things. Pure."""

# As alternatives of a verbose pattern, each whole: `\\text` is not the beginning of `\\textbf`.
WRAPPERS = r"""
    (?:
          text (?: bf | it | rm | sf | tt | sl | sc | md | up | normal )?
        | math (?: bf | it | rm | sf | tt | normal )
        | boldsymbol | bm | pmb | emph | underline | mbox | hbox | operatorname | displaystyle | ensuremath
        | bf | it | rm | sf | tt | bfseries | itshape
    )
    (?![A-Za-z])
"""
RELATIONS = r"""
    (?:
          approx (?:eq)? | thickapprox | simeq | sim | cong | doteq | equiv | eqsim
        | to | rightarrow | longrightarrow | Rightarrow | Longrightarrow | implies | iff | mapsto
    )
    (?![A-Za-z])
"""
