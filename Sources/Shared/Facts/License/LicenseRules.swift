import Registry

/// Which licences may be used: names that are allowed, names that are not.
///
/// An entry is one licence as an expression writes it (`MIT`, `Apache-2.0 WITH LLVM-exception`, `GPL-2.0-or-later`,
/// `LicenseRef-Ours`), or the beginning of names with a `*` behind it (`CC-BY-NC-*`).
///
/// | an entry of    | holds for a licence if                                                                        |
/// |----------------|-----------------------------------------------------------------------------------------------|
/// | the allow list | some version that the user may choose is one that the entry names, under the same exception   |
/// | the deny list  | every version that the user may choose is one that the entry names; an entry without exception |
/// |                | holds whatever exception there is                                                             |
///
/// So `GPL-2.0-or-later` passes an allow list with `GPL-3.0-only`, and is denied by `GPL-2.0-or-later` or `GPL-*`, not by
/// `GPL-2.0-only` alone. What is denied is never allowed.
package struct LicenseRules: Hashable, Sendable {
    /// Nil: everything that is not denied. What no list knows is refused even then, unless it is a `LicenseRef-…`.
    package let allow: [LicenseEntry]?
    package let deny: [LicenseEntry]

    package init(allow: [LicenseEntry]?, deny: [LicenseEntry] = []) {
        self.allow = allow
        self.deny = deny
    }

    /// May the user choose licences that all pass? Of alternatives the first that passes is taken.
    package func verdict(on tree: LicenseTree) -> Verdict {
        switch tree {
        case .term(let term):
            if let reason = objection(to: term) { return .refused([.init(term: term, reason: reason)]) }
            return .satisfied([term])
        case .all(let parts):
            let verdicts = parts.map(verdict)
            let failures = verdicts.flatMap(\.failures)
            return failures.isEmpty ? .satisfied(verdicts.flatMap(\.choice)) : .refused(Self.unique(failures))
        case .any(let parts):
            let verdicts = parts.map(verdict)
            return verdicts.first { $0.failures.isEmpty } ?? .refused(Self.unique(verdicts.flatMap(\.failures)))
        }
    }

    private func objection(to term: LicenseTerm) -> Reason? {
        if deny.contains(where: { $0.covers(term) }) { return .denied }
        if let allow {
            if allow.contains(where: { $0.accepts(term) }) { return nil }
            return term.isKnown || term.isReference ? .notAllowed : .unknown
        }
        return term.isKnown || term.isReference ? nil : .unknown
    }

    private static func unique(_ failures: [Failure]) -> [Failure] {
        var seen: Set<Failure> = []
        return failures.filter { seen.insert($0).inserted }
    }
}

extension LicenseRules {
    /// Why one licence does not pass.
    package enum Reason: String, Hashable, Sendable {
        case denied
        case notAllowed = "not-allowed"
        /// Neither the SPDX list nor the allow list has it.
        case unknown
    }

    /// One licence that stands in the way.
    package struct Failure: Hashable, Sendable {
        package let term: LicenseTerm
        package let reason: Reason
    }

    /// What the rules say of a whole expression.
    package enum Verdict: Hashable, Sendable {
        /// The licences that the user takes it under.
        case satisfied([LicenseTerm])
        /// Never empty: each licence that failed, of all alternatives.
        case refused([Failure])

        fileprivate var failures: [Failure] { if case .refused(let failures) = self { failures } else { [] } }
        fileprivate var choice: [LicenseTerm] { if case .satisfied(let terms) = self { terms } else { [] } }
    }
}

/// One entry of an allow or deny list.
package enum LicenseEntry: Hashable, Sendable, CustomStringConvertible {
    case term(LicenseTerm)
    /// Lower-case, without the star.
    case prefix(String)

    /// - Throws: if it is not one licence, or a star with nothing before it.
    package init(_ text: String) throws(Invalid) {
        if text.hasSuffix("*") {
            let stem = text.dropLast().lowercased()
            let isStem =
                !stem.isEmpty
                && stem.utf8.allSatisfy { byte in
                    byte != UInt8(ascii: "*") && byte > 0x20 && byte < 0x7F
                }
            guard isStem else { throw Invalid(text: text) }
            self = .prefix(stem)
            return
        }
        guard case .term(let term) = try? LicenseTree(text) else { throw Invalid(text: text) }
        self = .term(term)
    }

    package var description: String {
        switch self {
        case .term(let term): term.description
        case .prefix(let stem): stem + "*"
        }
    }

    /// False if no licence can fit that a list knows: it may be meant so, and is likely a slip.
    package var isKnown: Bool {
        switch self {
        case .term(let term): term.isKnown || term.isReference
        case .prefix(let stem):
            LicenseIdentifiers.isBeginning(stem) || "licenseref-".hasPrefix(stem) || stem.hasPrefix("licenseref-")
        }
    }

    /// True if the user may choose a version of the licence that the entry names.
    func accepts(_ term: LicenseTerm) -> Bool {
        switch self {
        case .prefix(let stem): return term.description.lowercased().hasPrefix(stem)
        case .term(let entry):
            guard entry.exception == term.exception else { return false }
            return LicenseSpan(entry).meets(LicenseSpan(term))
        }
    }

    /// True if the entry names every version of the licence that the user may choose.
    func covers(_ term: LicenseTerm) -> Bool {
        switch self {
        case .prefix(let stem): return term.description.lowercased().hasPrefix(stem)
        case .term(let entry):
            guard entry.exception == nil || entry.exception == term.exception else { return false }
            return LicenseSpan(entry).contains(LicenseSpan(term))
        }
    }

    package struct Invalid: Error, Hashable, CustomStringConvertible {
        package let text: String

        package var description: String {
            "`\(text.prefix(80))` is no entry of a licence list: write one licence like `MIT` or "
                + "`Apache-2.0 WITH LLVM-exception`, or the beginning of names like `GPL-*`"
        }
    }
}

/// The versions of one licence that a term speaks of: one, or one and all later ones.
private struct LicenseSpan {
    let family: String
    let version: [Int]
    let isOpen: Bool

    init(_ term: LicenseTerm) {
        var stem = term.id
        var isOpen = term.isOrLater
        for (ending, opens) in [("-only", false), ("-or-later", true)] where stem.hasSuffix(ending) {
            stem.removeLast(ending.count)
            isOpen = opens
        }
        self.isOpen = isOpen
        guard let dash = stem.lastIndex(of: "-") else {
            (family, version) = (stem, [])
            return
        }
        let numbers = stem[stem.index(after: dash)...].split(separator: ".", omittingEmptySubsequences: false).map {
            Int($0)
        }
        // `BSD-3-Clause`, `CC-BY-3.0-US`, `MIT-0`: what does not end in a version with a dot is a family of its own.
        let version = numbers.compactMap { $0 }
        (family, self.version) =
            version.count == numbers.count && version.count > 1 ? (String(stem[..<dash]), version) : (stem, [])
    }

    func meets(_ other: LicenseSpan) -> Bool {
        guard family == other.family else { return false }
        if version == other.version { return true }
        return other.version.lexicographicallyPrecedes(version) ? other.isOpen : isOpen
    }

    func contains(_ other: LicenseSpan) -> Bool {
        guard family == other.family, isOpen || !other.isOpen else { return false }
        return version == other.version || isOpen && version.lexicographicallyPrecedes(other.version)
    }
}
