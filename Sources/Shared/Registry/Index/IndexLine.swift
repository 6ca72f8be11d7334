/// One version of a crate as one line of its index file.
///
/// Every value is a line that all cargos can read: cargo silently drops a version whose line has one bad field.
/// `json` is the same for equal values, for ever, because files of lines are known by their checksums.
/// Source: docs/PROTOCOL.md, "File format" and "From publish request to index line".
package struct IndexLine: Hashable, Sendable {
    /// A feature's name, and what it switches on.
    package typealias Features = [String: [String]]

    package let name: CrateName
    package let version: Version
    /// In the order in which they are written.
    package let dependencies: [IndexDependency]
    package let checksum: Checksum
    package let features: Features
    /// What only cargo 1.60 and later understands; see `FeatureSplit`.
    package let features2: Features
    package let isYanked: Bool
    package let links: String?
    package let rustVersion: RustVersion?
    /// 1 or 2. A cargo that does not know the format leaves the version out.
    package let format: Int
    package let pubtime: Pubtime?

    /// The line of a version that is being published.
    ///
    /// - Parameter pubtime: when the registry accepted it; a yank does not change it.
    package init(facts: ManifestFacts, checksum: Checksum, pubtime: Pubtime?) {
        let split = FeatureSplit(facts.features)
        self.init(
            name: facts.name, version: facts.version, dependencies: facts.dependencies, checksum: checksum,
            features: split.features, features2: split.features2, links: facts.links, rustVersion: facts.rustVersion,
            pubtime: pubtime)
    }

    /// - Parameter format: 2 if `features2` is not empty, whatever is said.
    package init(
        name: CrateName, version: Version, dependencies: [IndexDependency], checksum: Checksum,
        features: Features = [:], features2: Features = [:], isYanked: Bool = false, links: String? = nil,
        rustVersion: RustVersion? = nil, format: Int = 1, pubtime: Pubtime? = nil
    ) {
        precondition(format == 1 || format == 2, "there are index formats 1 and 2")
        self.name = name
        self.version = version
        self.dependencies = dependencies.sorted()
        self.checksum = checksum
        self.features = features
        self.features2 = features2
        self.isYanked = isYanked
        self.links = links
        self.rustVersion = rustVersion
        self.format = features2.isEmpty ? format : 2
        self.pubtime = pubtime
    }

    /// The same line, yanked or not.
    package func with(yanked: Bool) -> IndexLine {
        IndexLine(
            name: name, version: version, dependencies: dependencies, checksum: checksum, features: features,
            features2: features2, isYanked: yanked, links: links, rustVersion: rustVersion, format: format,
            pubtime: pubtime)
    }

    /// All features, as cargo sees them.
    package var allFeatures: Features { features.merging(features2) { $0 + $1 } }

    /// Without a line feed. Key order as on crates.io; lists and maps are never null, feature names are sorted.
    package var json: String { String(decoding: jsonBytes, as: UTF8.self) }

    package var jsonBytes: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("name")
            writer.string(name.spelling)
            writer.key("vers")
            writer.string(version.description)
            writer.key("deps")
            writer.array(dependencies) { $1.write(to: &$0) }
            writer.key("cksum")
            writer.string(checksum.description)
            writer.key("features")
            Self.write(features, to: &writer)
            if !features2.isEmpty {
                writer.key("features2")
                Self.write(features2, to: &writer)
            }
            writer.key("yanked")
            writer.bool(isYanked)
            writeExtras(to: &writer)
        }
        return writer.bytes
    }

    private func writeExtras(to writer: inout JSONWriter) {
        if let links {
            writer.key("links")
            writer.string(links)
        }
        if let rustVersion {
            writer.key("rust_version")
            writer.string(rustVersion.description)
        }
        if format != 1 {
            writer.key("v")
            writer.number(format)
        }
        if let pubtime {
            writer.key("pubtime")
            writer.string(pubtime.description)
        }
    }

    private static func write(_ features: Features, to writer: inout JSONWriter) {
        writer.object { writer in
            for (name, values) in features.sorted(by: { $0.key < $1.key }) {
                writer.key(name)
                writer.strings(values)
            }
        }
    }
}
