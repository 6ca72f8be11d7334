package import Registry

/// The versions from `introduced` on, up to and without `fixed`, in the order of semver.
package struct VersionInterval: Hashable, Sendable {
    /// Nil: from the very first.
    package let introduced: Version?
    /// Nil: for ever.
    package let fixed: Version?

    package static let all = VersionInterval(introduced: nil, fixed: nil)

    package init(introduced: Version?, fixed: Version?) {
        self.introduced = introduced
        self.fixed = fixed
    }

    /// By semver's order, pre-releases in their place.
    package func contains(_ version: Version) -> Bool {
        if let introduced, version < introduced { return false }
        if let fixed { return version < fixed }
        return true
    }

    var isEmpty: Bool {
        guard let introduced, let fixed else { return false }
        return fixed <= introduced
    }

    /// What both contain.
    func intersection(_ other: VersionInterval) -> VersionInterval {
        VersionInterval(
            introduced: introduced.map { mine in other.introduced.map { max(mine, $0) } ?? mine } ?? other.introduced,
            fixed: fixed.map { mine in other.fixed.map { min(mine, $0) } ?? mine } ?? other.fixed)
    }
}

extension [VersionInterval] {
    /// In order; what overlaps or touches is one, what is empty is gone.
    var tidy: [VersionInterval] {
        let sorted = filter { !$0.isEmpty }.sorted { left, right in
            guard let second = right.introduced else { return false }
            return left.introduced.map { $0 < second } ?? true
        }
        return sorted.reduce(into: []) { result, next in
            guard let last = result.last, let end = last.fixed, next.introduced.map({ $0 > end }) ?? false else {
                return result.joinLast(next)
            }
            result.append(next)
        }
    }

    private mutating func joinLast(_ next: VersionInterval) {
        guard let last = popLast() else { return append(next) }
        let end = last.fixed.flatMap { mine in next.fixed.map { Swift.max(mine, $0) } }
        append(VersionInterval(introduced: last.introduced, fixed: end))
    }

    /// Every version that is in none of them.
    var complement: [VersionInterval] {
        var gaps: [VersionInterval] = []
        var start: Version?
        for interval in tidy {
            if let end = interval.introduced { gaps.append(VersionInterval(introduced: start, fixed: end)) }
            guard let next = interval.fixed else { return gaps }
            start = next
        }
        return gaps + [VersionInterval(introduced: start, fixed: nil)]
    }
}

extension VersionInterval: Codable {
    private enum CodingKeys: String, CodingKey { case introduced, fixed }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        introduced = try container.decodeIfPresent(String.self, forKey: .introduced).map { try Version($0) }
        fixed = try container.decodeIfPresent(String.self, forKey: .fixed).map { try Version($0) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(introduced?.description, forKey: .introduced)
        try container.encodeIfPresent(fixed?.description, forKey: .fixed)
    }
}

extension Version {
    /// The very next version in the order of semver: `1.2.4-0` after `1.2.3`, `1.2.3-rc.1.0` after `1.2.3-rc.1`.
    ///
    /// - Returns: nil if the numbers have no room for it.
    var successor: Version? {
        if !prerelease.isEmpty { return try? Version("\(major).\(minor).\(patch)-\(prerelease).0") }
        let (next, overflows) = patch.addingReportingOverflow(1)
        return overflows ? nil : try? Version("\(major).\(minor).\(next)-0")
    }
}
