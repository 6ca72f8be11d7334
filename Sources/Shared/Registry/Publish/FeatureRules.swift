/// What features may be called and may enable.
///
/// `check` repeats what cargo checks when it reads an index line: a version that breaks it would never be found.
/// Source: docs/PROTOCOL.md, F16.
enum FeatureRules {
    typealias Objection = ManifestRules.Objection

    private static let countMax = 300
    private static let nameBytesMax = 255

    /// Reads a `[features]` table and checks every name in it.
    static func read(_ value: ManifestValue?) throws(Objection) -> IndexLine.Features {
        guard let value else { return [:] }
        guard let table = value.table else { throw .wrongType("features", "a table") }
        guard table.count <= countMax else {
            throw Objection("F16", "crates can have at most \(countMax) features, this one has \(table.count)")
        }
        var features: IndexLine.Features = [:]
        for (name, values) in table.sorted(by: { $0.key < $1.key }) {
            let texts = values.array?.compactMap(\.string)
            guard let texts, texts.count == values.array?.count else {
                throw .wrongType("features.\(name)", "a list of strings")
            }
            guard texts.count <= countMax else {
                throw Objection(
                    "F16", "feature `\(name)` enables \(texts.count) others; at most \(countMax) are allowed")
            }
            try checkName(name)
            for text in texts { try checkValue(text) }
            features[name] = texts
        }
        return features
    }

    /// `feature`, `dep:name`, `package/feature` or `package?/feature`.
    static func checkValue(_ value: String) throws(Objection) {
        if value.hasPrefix("dep:") {
            let name = String(value.dropFirst("dep:".count))
            guard IndexDependency.isDependencyName(name) else {
                throw Objection("F16", "`\(value.prefix(80))` in `[features]` names no dependency")
            }
            return
        }
        guard let slash = value.firstIndex(of: "/") else { return try checkName(value) }
        let package = value[..<slash].hasSuffix("?") ? value[..<slash].dropLast() : value[..<slash]
        guard IndexDependency.isDependencyName(String(package)) else {
            throw Objection("F16", "`\(value.prefix(80))` in `[features]` names no dependency before the `/`")
        }
        try checkName(String(value[value.index(after: slash)...]))
    }

    private static func checkName(_ name: String) throws(Objection) {
        guard let first = name.unicodeScalars.first else { throw Objection("F16", "feature cannot be empty") }
        guard name.utf8.count <= nameBytesMax else {
            throw Objection("F16", "feature `\(name.prefix(80))…` has a name longer than \(nameBytesMax) bytes")
        }
        guard first == "_" || ("0"..."9").contains(first) || first.properties.isXIDStart else {
            throw Objection(
                "F16",
                "invalid character `\(first)` in feature `\(name)`, the first character must be a Unicode XID start "
                    + "character or digit (most letters or `_` or `0` to `9`)"
            )
        }
        let stranger = name.unicodeScalars.first { scalar in
            !(scalar == "+" || scalar == "-" || scalar == "." || scalar.properties.isXIDContinue)
        }
        if let stranger {
            throw Objection(
                "F16",
                "invalid character `\(stranger)` in feature `\(name)`, characters must be Unicode XID characters, "
                    + "`+`, `-`, or `.` (numbers, `+`, `-`, `_`, `.`, or most letters)"
            )
        }
    }

    /// - Throws: the first feature, by name, that enables what does not exist.
    static func check(_ features: IndexLine.Features, against dependencies: [IndexDependency]) throws(Objection) {
        let names = Set(dependencies.map(\.name))
        let optional = Set(dependencies.lazy.filter(\.isOptional).map(\.name))
        let values = Set(features.values.joined())
        // An optional dependency is a feature of its own unless some `dep:` speaks of it.
        let implied = optional.filter { features[$0] == nil && !values.contains("dep:\($0)") }
        for (feature, enabled) in features.sorted(by: { $0.key < $1.key }) {
            for value in enabled {
                guard !exists(value, features, implied, names: names, optional: optional) else { continue }
                throw Objection(
                    "F16",
                    "feature `\(feature)` includes `\(value)` which is neither another feature nor a fitting dependency"
                )
            }
        }
        let reached = Set(values.compactMap(dependencyName))
        if let lost = optional.subtracting(implied).subtracting(reached).min() {
            throw Objection(
                "F16",
                "optional dependency `\(lost)` is not included in any feature: "
                    + "make sure that `dep:\(lost)` is included in one of features in the [features] table"
            )
        }
    }

    private static func exists(
        _ value: String, _ features: IndexLine.Features, _ implied: Set<String>, names: Set<String>,
        optional: Set<String>
    ) -> Bool {
        guard let dependency = dependencyName(value) else { return features[value] != nil || implied.contains(value) }
        return value.hasPrefix("dep:") || value.contains("?/")
            ? optional.contains(dependency) : names.contains(dependency)
    }

    /// The dependency that a value speaks of; nil for a plain feature.
    private static func dependencyName(_ value: String) -> String? {
        if value.hasPrefix("dep:") { return String(value.dropFirst("dep:".count)) }
        guard let slash = value.firstIndex(of: "/") else { return nil }
        let package = value[..<slash]
        return String(package.hasSuffix("?") ? package.dropLast() : package)
    }
}
