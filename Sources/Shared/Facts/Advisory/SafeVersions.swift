import Registry

/// Turns RustSec's lists of patched and unaffected versions into the intervals that are affected.
///
/// A requirement means something else here than in a `Cargo.toml`, because pre-releases have to be judged too: it is an
/// interval in the order of semver. `^1.2.3` ends below `2.0.0-0`, so that `2.0.0-rc.1` is not in it; `> 1.2` begins
/// behind `1.2.0`. This is how the `rustsec` crate reads them, and how its export makes the ranges of OSV.
enum SafeVersions {
    /// - Parameter requirements: patched and unaffected ones together; none means that everything is affected.
    static func affected(besides requirements: [VersionRequirement]) throws(Advisory.Invalid) -> [VersionInterval] {
        var safe: [VersionInterval] = []
        for requirement in requirements {
            var interval = VersionInterval.all
            for comparator in requirement.comparators {
                guard let next = self.interval(comparator) else {
                    throw Advisory.Invalid("the numbers of the version requirement `\(requirement)` are too large")
                }
                interval = interval.intersection(next)
            }
            safe.append(interval)
        }
        return safe.complement
    }

    /// - Returns: nil if a number has no successor.
    private static func interval(_ comparator: VersionRequirement.Comparator) -> VersionInterval? {
        let (minor, patch) = (comparator.minor ?? 0, comparator.patch ?? 0)
        let prerelease = comparator.prerelease.isEmpty ? "" : "-" + comparator.prerelease
        guard let start = try? Version("\(comparator.major).\(minor).\(patch)\(prerelease)") else { return nil }
        switch comparator.operation {
        case .greaterOrEqual: return VersionInterval(introduced: start, fixed: nil)
        case .less: return VersionInterval(introduced: nil, fixed: start)
        case .greater: return start.successor.map { VersionInterval(introduced: $0, fixed: nil) }
        case .lessOrEqual: return start.successor.map { VersionInterval(introduced: nil, fixed: $0) }
        case .exact: return start.successor.map { VersionInterval(introduced: start, fixed: $0) }
        case .caret: return caretEnd(comparator).map { VersionInterval(introduced: start, fixed: $0) }
        case .tilde, .wildcard: return tildeEnd(comparator).map { VersionInterval(introduced: start, fixed: $0) }
        }
    }

    /// The leftmost number that is not zero must stay.
    private static func caretEnd(_ comparator: VersionRequirement.Comparator) -> Version? {
        guard comparator.major == 0, let minor = comparator.minor else { return begin(comparator.major, plus: 1) }
        if minor == 0, let patch = comparator.patch { return begin(0, 0, patch, plus: 1) }
        return begin(0, minor, plus: 1)
    }

    private static func tildeEnd(_ comparator: VersionRequirement.Comparator) -> Version? {
        guard let minor = comparator.minor else { return begin(comparator.major, plus: 1) }
        return begin(comparator.major, minor, plus: 1)
    }

    /// The lowest of all versions with these first numbers, the last of them counted up.
    private static func begin(_ numbers: UInt64..., plus step: UInt64) -> Version? {
        guard let last = numbers.last else { return nil }
        let (next, overflows) = last.addingReportingOverflow(step)
        guard !overflows else { return nil }
        let all = numbers.dropLast() + [next] + Array(repeating: 0, count: 3 - numbers.count)
        return try? Version(all.map(String.init).joined(separator: ".") + "-0")
    }
}
