//! The table: medians with what lies beside them, the floor of the same run, and the target.

use std::fmt::{self, Display};

use crate::child::Cost;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Milliseconds,
    Mebibytes,
}

impl Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Milliseconds => "ms",
            Self::Mebibytes => "MiB",
        })
    }
}

/// The same thing measured several times.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    unit: Unit,
    /// In order, never empty.
    sorted: Vec<f64>,
}

impl Figures {
    fn new(unit: Unit, values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        assert!(!sorted.is_empty(), "something was measured");
        sorted.sort_unstable_by(f64::total_cmp);
        Self { unit, sorted }
    }

    /// Wall times.
    pub(crate) fn wall(costs: &[Cost]) -> Self {
        Self::new(
            Unit::Milliseconds,
            costs.iter().map(|cost| cost.wall.as_secs_f64() * 1000.0),
        )
    }

    /// CPU times.
    pub(crate) fn cpu(costs: &[Cost]) -> Self {
        Self::new(
            Unit::Milliseconds,
            costs.iter().map(|cost| cost.cpu.as_secs_f64() * 1000.0),
        )
    }

    /// Peaks of memory.
    pub(crate) fn memory(costs: &[Cost]) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no process has 2^53 KiB")]
        Self::new(Unit::Mebibytes, costs.iter().map(|cost| cost.peak_kib as f64 / 1024.0))
    }

    /// Times taken in this process.
    pub(crate) fn times(times: &[std::time::Duration]) -> Self {
        Self::new(Unit::Milliseconds, times.iter().map(|time| time.as_secs_f64() * 1000.0))
    }

    fn median(&self) -> f64 {
        let middle = self.sorted.len() / 2;
        if self.sorted.len().is_multiple_of(2) {
            f64::midpoint(self.sorted[middle - 1], self.sorted[middle])
        } else {
            self.sorted[middle]
        }
    }

    fn spread(&self) -> String {
        let (least, most) = (self.sorted[0], self.sorted[self.sorted.len() - 1]);
        format!("{}–{}", number(least), number(most))
    }

    fn shown(&self) -> String {
        format!("{} {}", number(self.median()), self.unit)
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// At most this.
    Most(f64),
    /// At most this above the floor.
    Above(f64),
    /// At most this many times the floor.
    Times(f64),
    /// Nothing in particular; compared with the floor as a difference.
    Unset,
}

const HEADINGS: [&str; 8] = [
    "measure",
    "masctl",
    "min–max",
    "runs",
    "floor",
    "beside it",
    "target",
    "met",
];

/// The rows so far.
#[derive(Debug)]
pub(crate) struct Report {
    rows: Vec<[String; 8]>,
}

impl Report {
    /// A table without rows.
    pub(crate) fn new() -> Self {
        Self {
            rows: vec![HEADINGS.map(str::to_owned)],
        }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, measure: impl Into<String>, figures: &Figures, floor: Option<&Figures>, to: Target) {
        let (median, unit) = (figures.median(), figures.unit);
        let floor_median = floor.map(Figures::median);
        let beside = match (to, floor_median) {
            (Target::Times(_), Some(floor)) => format!("× {:.2}", median / floor),
            (_, Some(floor)) => format!("{:+.1} {unit}", median - floor),
            (_, None) => String::new(),
        };
        let (target, is_met) = match to {
            Target::Most(most) => (format!("≤ {most} {unit}"), Some(median <= most)),
            Target::Above(most) => (
                format!("≤ +{most} {unit}"),
                floor_median.map(|floor| median - floor <= most),
            ),
            Target::Times(most) => (format!("≤ × {most}"), floor_median.map(|floor| median <= floor * most)),
            Target::Unset => (String::new(), None),
        };
        self.rows.push([
            measure.into(),
            figures.shown(),
            figures.spread(),
            figures.sorted.len().to_string(),
            floor.map(Figures::shown).unwrap_or_default(),
            beside,
            target,
            is_met
                .map(|is_met| if is_met { "yes" } else { "NO" })
                .unwrap_or_default()
                .to_owned(),
        ]);
    }
}

impl Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max();
        let widths: [usize; 8] = std::array::from_fn(|column| width(column).unwrap_or_default());
        for row in &self.rows {
            let (measure, rest) = (&row[0], row.iter().zip(widths).skip(1));
            write!(formatter, "{measure:<width$}", width = widths[0])?;
            for (cell, width) in rest {
                write!(formatter, "  {cell:>width$}")?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

fn number(value: f64) -> String {
    if value < 1000.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}
