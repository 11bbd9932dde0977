//! A run as a picture: the rate of every scenario over the number of clients, and its p99.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::scenarios::Row;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const MARGIN: f64 = 56.0;
const LEGEND: f64 = 150.0;

/// Colours that are told apart without seeing red and green.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// One of the two panels.
struct Panel {
    title: &'static str,
    left: f64,
    value: fn(&Row) -> f64,
}

const PANELS: [Panel; 2] = [
    Panel {
        title: "a second",
        left: MARGIN,
        value: |row| row.figures.per_second,
    },
    Panel {
        title: "p99, ms",
        left: 2.0 * MARGIN + WIDTH,
        value: |row| row.figures.p99_us / 1e3,
    },
];

/// Both axes are logarithmic: each line of the grid is ten times, or twice, the one before it.
pub(crate) fn svg(title: &str, curves: &BTreeMap<&'static str, Vec<&Row>>) -> String {
    let (width, height) = (2.0 * (WIDTH + MARGIN) + MARGIN, HEIGHT + 2.0 * MARGIN + LEGEND);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    text(&mut svg, [MARGIN, 20.0], "start", title);
    for panel in &PANELS {
        panel.draw(&mut svg, curves);
    }
    for (at, (name, colour)) in curves.keys().zip(COLOURS).enumerate() {
        let y = HEIGHT + 2.0 * MARGIN + 20.0 * at as f64;
        let _ = writeln!(
            svg,
            "<line x1=\"{MARGIN}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            MARGIN + 24.0
        );
        text(&mut svg, [MARGIN + 32.0, y + 4.0], "start", name);
    }
    svg.push_str("</svg>\n");
    svg
}

impl Panel {
    fn draw(&self, svg: &mut String, curves: &BTreeMap<&'static str, Vec<&Row>>) {
        let rows = || curves.values().flatten();
        let clients = Axis::over(rows().map(|row| row.clients as f64), 2.0);
        let values = Axis::over(rows().map(|row| (self.value)(row)), 10.0);
        let x = |clients_now: f64| self.left + WIDTH * clients.place(clients_now);
        let y = |value: f64| MARGIN + HEIGHT * (1.0 - values.place(value));
        text(svg, [self.left, MARGIN - 12.0], "start", self.title);
        for value in values.ticks() {
            let (from, to, y) = (self.left, self.left + WIDTH, y(value));
            let _ = writeln!(
                svg,
                "<line x1=\"{from}\" y1=\"{y:.1}\" x2=\"{to}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>"
            );
            text(svg, [from - 6.0, y + 4.0], "end", &number(value));
        }
        let crowds: std::collections::BTreeSet<usize> = rows().map(|row| row.clients).collect();
        for crowd in crowds {
            text(
                svg,
                [x(crowd as f64), MARGIN + HEIGHT + 18.0],
                "middle",
                &crowd.to_string(),
            );
        }
        text(
            svg,
            [self.left + WIDTH / 2.0, MARGIN + HEIGHT + 36.0],
            "middle",
            "clients",
        );
        for (rows, colour) in curves.values().zip(COLOURS) {
            let point = |row: &&Row| format!("{:.1},{:.1}", x(row.clients as f64), y((self.value)(row)));
            let points: Vec<String> = rows.iter().map(point).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                points.join(" ")
            );
        }
    }
}

/// A logarithmic axis between two powers of its base.
struct Axis {
    base: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, base: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min).max(1e-3);
        let most = values.fold(least, f64::max);
        let from = power(least, base).floor();
        Self {
            base,
            from,
            to: power(most, base).ceil().max(from + 1.0),
        }
    }

    /// From 0 to 1.
    fn place(&self, value: f64) -> f64 {
        (power(value.max(1e-3), self.base) - self.from) / (self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.from as i32..=self.to as i32).map(|power| self.base.powi(power))
    }
}

/// The logarithm, of which a whole one does not come out as a hair less.
#[expect(
    clippy::disallowed_methods,
    reason = "where a line of the plot stands; no amount of money"
)]
fn power(value: f64, base: f64) -> f64 {
    (value.log(base) * 1e9).round() / 1e9
}

fn number(value: f64) -> String {
    if value < 1.0 {
        format!("{value}")
    } else {
        format!("{value:.0}")
    }
}

fn text(svg: &mut String, [x, y]: [f64; 2], anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    // Writing to a string does not fail.
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_covers_its_values_and_ends_at_powers() {
        let axis = Axis::over([30.0, 400.0].into_iter(), 10.0);
        assert_eq!(axis.ticks().collect::<Vec<_>>(), [10.0, 100.0, 1000.0]);
        assert!((axis.place(10.0), axis.place(1000.0)) == (0.0, 1.0));
        assert!((axis.place(100.0) - 0.5).abs() < 1e-9);
        assert_eq!(Axis::over(std::iter::once(8.0), 2.0).ticks().count(), 2);
    }

    #[test]
    fn a_picture_without_curves_is_still_one() {
        let svg = svg("a < b", &BTreeMap::new());
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.contains("a &lt; b"));
    }
}
