import Registry

/// Index lines of a wanted size: dependencies first, features for the rest, to the byte.
enum IndexLineMaker {
    /// Of a line and its line feed, without its name: five characters of version, no dependency, no feature.
    static let emptyBytes = 141
    /// A feature without a name and its comma: `"":[],`.
    private static let featureBytes = 6
    private static let featureNameBytes = 8...60

    /// The version of crates in a corpus at this place: 0.0.0 … 0.0.9, 0.1.0 …, in five characters for as long as it can be.
    static func version(_ place: Int) throws -> Version { try Version("0.\(place / 10).\(place % 10)") }

    /// What matches the newest of so many versions, so that resolving always ends in one version a crate.
    static func requirement(versions: Int) throws -> VersionRequirement {
        try VersionRequirement("^0.\((versions - 1) / 10)" + (versions <= 10 ? ".\(versions - 1)" : ""))
    }

    /// - Parameter bytes: with the line feed. A line can't be smaller than its name and checksum make it.
    static func line(
        _ name: CrateName, _ version: Version, _ dependencies: [IndexDependency], _ checksum: Checksum,
        features: IndexLine.Features, isYanked: Bool
    ) -> IndexLine {
        IndexLine(
            name: name, version: version, dependencies: dependencies, checksum: checksum, features: features,
            isYanked: isYanked)
    }

    /// Features that fill an index line up to a size: `bytes` more than without any, as near as the syntax allows.
    ///
    /// They have the names that `words` gives them, whatever the version, as real ones have: files pack as well as those.
    static func features(filling bytes: Int, named words: FeatureNames) -> IndexLine.Features {
        var features: IndexLine.Features = [:]
        // The last feature has no comma behind it.
        var left = bytes + 1
        while left >= featureBytes + featureNameBytes.lowerBound {
            let room = left - featureBytes
            let usual = words.name(features.count)
            // What would be left must hold another feature, or nothing.
            let name =
                room <= featureNameBytes.upperBound
                ? String((usual + String(repeating: "x", count: featureNameBytes.upperBound)).prefix(room)) : usual
            features[name] = []
            left -= featureBytes + name.utf8.count
        }
        return features
    }
}

/// The features of one crate by number: each has one name for ever, none the name of another.
struct FeatureNames {
    private let dice: CorpusDice

    init(using dice: inout CorpusDice) { self.dice = CorpusDice(seed: dice.next(), stream: 0) }

    /// 8 to 32 characters.
    func name(_ number: Int) -> String {
        var dice = dice
        dice.skip(to: number)
        let words = (0..<3).map { _ in CorpusProse.words.randomElement(using: &dice) ?? "" }
        return String("f\(number)-\(words.joined(separator: "-"))".prefix(Int.random(in: 12...32, using: &dice)))
    }
}
