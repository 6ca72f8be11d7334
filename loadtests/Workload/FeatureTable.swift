import Registry

/// What a feature switches on, as cargo reads it: `std`, `dep:serde`, `serde/derive`, `serde?/derive`.
enum FeatureValue: Hashable, Sendable {
    case feature(String)
    case dependency(String)
    case dependencyFeature(dependency: String, feature: String, isWeak: Bool)

    init(_ text: String) {
        if let slash = text.firstIndex(of: "/") {
            let name = text[..<slash]
            let isWeak = name.last == "?"
            self = .dependencyFeature(
                dependency: String(isWeak ? name.dropLast() : name), feature: String(text[text.index(after: slash)...]),
                isWeak: isWeak)
        } else if text.hasPrefix("dep:") {
            self = .dependency(String(text.dropFirst("dep:".count)))
        } else {
            self = .feature(text)
        }
    }
}

/// A version's features with those that its optional dependencies bring along.
struct FeatureTable: Hashable, Sendable {
    private(set) var values: [String: [FeatureValue]]
    /// By the name in the dependant's code: whether any dependency of that name is optional.
    private let isOptional: [String: Bool]

    /// - Returns: nil if cargo would leave the whole version out because of its features.
    init?(_ features: [String: [String]], _ dependencies: [IndexDependency]) {
        isOptional = Dictionary(dependencies.map { ($0.name, $0.isOptional) }) { $0 || $1 }
        values = features.mapValues { $0.map(FeatureValue.init) }
        let named = Set(values.values.joined().compactMap { if case .dependency(let name) = $0 { name } else { nil } })
        for (name, isOptional) in isOptional where isOptional && features[name] == nil && !named.contains(name) {
            values[name] = [.dependency(name)]
        }
        guard values.values.joined().allSatisfy(isValid), isEveryOptionalUsed else { return nil }
    }

    private func isValid(_ value: FeatureValue) -> Bool {
        switch value {
        case .feature(let name): values[name] != nil
        case .dependency(let name): isOptional[name] == true
        case .dependencyFeature(let name, let feature, let isWeak):
            !feature.contains("/") && isOptional[name] != nil && (!isWeak || isOptional[name] == true)
        }
    }

    private var isEveryOptionalUsed: Bool {
        let used = Set(
            values.values.joined().compactMap { value -> String? in
                switch value {
                case .feature: nil
                case .dependency(let name), .dependencyFeature(let name, _, _): name
                }
            })
        return isOptional.allSatisfy { !$0.value || used.contains($0.key) }
    }

    func isOptional(_ dependency: String) -> Bool { isOptional[dependency] == true }
}

/// Which features of one version are on, and what they ask of its dependencies.
struct FeatureChoice: Sendable {
    private let table: FeatureTable
    private(set) var features: Set<String> = []
    /// By the name in the dependant's code; an optional dependency is on if it stands here.
    private(set) var dependencies: [String: Set<String>] = [:]

    /// - Returns: nil if a feature that is asked for does not exist.
    init?(_ table: FeatureTable, asked: [String], usesDefaults: Bool) {
        self.table = table
        for name in asked { guard turnOn(name) else { return nil } }
        if usesDefaults, table.values["default"] != nil { guard turnOn("default") else { return nil } }
    }

    /// Every feature there is, as cargo takes those of the package that is resolved.
    init(all table: FeatureTable) {
        self.table = table
        for name in table.values.keys { _ = turnOn(name) }
    }

    private mutating func turnOn(_ name: String) -> Bool {
        guard features.insert(name).inserted else { return true }
        guard let values = table.values[name] else { return false }
        return values.allSatisfy { follow($0) }
    }

    private mutating func follow(_ value: FeatureValue) -> Bool {
        switch value {
        case .feature(let name): return turnOn(name)
        case .dependency(let name):
            dependencies[name, default: []].formUnion([])
            return true
        case .dependencyFeature(let name, let feature, let isWeak):
            // The resolver takes `pkg?/feature` as a wish for the package too; only the build tells them apart.
            if !isWeak, table.isOptional(name), table.values[name] != nil { guard turnOn(name) else { return false } }
            dependencies[name, default: []].insert(feature)
            return true
        }
    }
}
