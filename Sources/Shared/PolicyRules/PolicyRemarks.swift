import Facts
package import Registry

/// Where rules are to be in force, as far as it concerns what they name.
package struct PolicyPlace: Hashable, Sendable {
    package let repository: String
    package let upstreams: [String]

    package init(repository: RepositoryName, upstreams: [String]) {
        self.repository = repository.description
        self.upstreams = upstreams
    }
}

extension PolicyFile {
    /// What can be meant and is likely a slip, one sentence each: such rules hold, but hardly for what their author thinks.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - place: nil: whatever names a repository or an upstream is taken on trust.
    package func remarks(at now: Int, in place: PolicyPlace? = nil) -> [String] {
        let ended = exceptions.filter { $0.expires <= now }.map { exception in
            "the exception of \(exception.owner) for `\(exception.crate)` has ended; it can go"
        }
        return rules.flatMap { rule in rule.licenseRemarks + (place.map(rule.remarks(in:)) ?? []) } + ended
    }
}

extension PolicyRule {
    fileprivate var licenseRemarks: [String] {
        conditions.flatMap { condition -> [String] in
            guard case .licenses(let licenses) = condition else { return [] }
            return ((licenses.allow ?? []) + licenses.deny).filter { !$0.isKnown }.map { entry in
                "rule `\(name)`: the SPDX list \(LicenseIdentifiers.listVersion) has no licence `\(entry)`; is it spelled right?"
            }
        }
    }

    fileprivate func remarks(in place: PolicyPlace) -> [String] {
        var remarks: [String] = []
        if !repositories.isEmpty, !repositories.contains(place.repository) {
            remarks.append("rule `\(name)` is for other repositories, and does nothing in `\(place.repository)`")
        }
        let kinds = VersionFacts.Origin.Kind.allCases.map(\.rawValue)
        for source in sources where !kinds.contains(source) && !place.upstreams.contains(source) {
            remarks.append("rule `\(name)`: `\(place.repository)` has no upstream `\(source)`; is it spelled right?")
        }
        return remarks
    }
}
