/// A place on a clock that never runs backwards: nanoseconds since a start that only the caller knows.
///
/// The core takes every moment as an argument, so a simulation can move time as it likes.
package struct Moment: Hashable, Comparable, Sendable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Before every other.
    static let longAgo = Moment(nanoseconds: .min)

    package static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func + (moment: Moment, duration: Duration) -> Moment {
        Moment(nanoseconds: moment.nanoseconds + duration.wholeNanoseconds)
    }

    package static func - (moment: Moment, duration: Duration) -> Moment {
        Moment(nanoseconds: moment.nanoseconds - duration.wholeNanoseconds)
    }

    package static func - (left: Moment, right: Moment) -> Duration {
        .nanoseconds(left.nanoseconds - right.nanoseconds)
    }
}

/// How far two moments are apart, for what every request asks: a `Duration` is attoseconds in 128 bits, and would be
/// divided each time.
struct MomentSpan: Sendable {
    fileprivate let nanoseconds: Int64

    init(_ duration: Duration) { nanoseconds = duration.wholeNanoseconds }
}

extension Moment {
    static func + (moment: Moment, span: MomentSpan) -> Moment {
        Moment(nanoseconds: moment.nanoseconds + span.nanoseconds)
    }
}

extension Duration {
    fileprivate var wholeNanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
