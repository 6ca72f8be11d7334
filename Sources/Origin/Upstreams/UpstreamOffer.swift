package import Registry

/// What an administrator says of an upstream.
package struct UpstreamOffer: Sendable {
    static let freshSecondsRange = 1...86_400
    static let patternsMax = 1000

    let name: RepositoryName
    let index: UpstreamIndex
    let filter: UpstreamFilter
    let freshSeconds: Int
    let privateAllowed: Bool
    let alsoHosts: [UpstreamHost]

    package init(
        name: RepositoryName, index: UpstreamIndex, filter: UpstreamFilter = .init(), freshSeconds: Int = 60,
        privateAllowed: Bool = false, alsoHosts: [UpstreamHost] = []
    ) {
        self.name = name
        self.index = index
        self.filter = filter
        self.freshSeconds = freshSeconds
        self.privateAllowed = privateAllowed
        self.alsoHosts = alsoHosts
    }

    /// Reads what came as text: from the command line, or as JSON.
    ///
    /// - Throws: 400 with the first thing that can't be.
    init(
        name: RepositoryName, index: String, include: [String], exclude: [String], freshSeconds: Int,
        privateAllowed: Bool, alsoHosts: [String]
    ) throws(Refusal) {
        let includes = include.isEmpty ? [.everything] : try Self.patterns(include)
        self.init(
            name: name, index: try Self.index(index),
            filter: UpstreamFilter(include: includes, exclude: try Self.patterns(exclude)),
            freshSeconds: try Self.freshSeconds(freshSeconds), privateAllowed: privateAllowed,
            alsoHosts: try Self.hosts(alsoHosts))
    }

    /// - Throws: 400 for what is no address.
    static func index(_ text: String) throws(Refusal) -> UpstreamIndex {
        guard let index = UpstreamIndex(text) else {
            throw .badRequest("`\(text)` is no address of a sparse index (sparse+https://…)")
        }
        return index
    }

    /// - Throws: 400 for a time that is too short or too long.
    static func freshSeconds(_ number: Int) throws(Refusal) -> Int {
        guard freshSecondsRange.contains(number) else {
            throw .badRequest("an answer can be taken for current for 1 to 86400 seconds, not for \(number)")
        }
        return number
    }

    /// - Throws: 400 with the first text that is no host.
    static func hosts(_ texts: [String]) throws(Refusal) -> [UpstreamHost] {
        guard texts.count <= UpstreamHost.countMax else {
            throw .badRequest("an upstream can have \(UpstreamHost.countMax) other hosts at most")
        }
        var hosts: [UpstreamHost] = []
        for text in texts {
            guard let host = UpstreamHost(text) else {
                throw .badRequest("`\(text)` is no host: write its name alone, without `https://`, port or path")
            }
            hosts.append(host)
        }
        return hosts
    }

    /// - Throws: 400 with the first text that is no pattern.
    static func patterns(_ texts: [String]) throws(Refusal) -> [CratePattern] {
        guard texts.count <= patternsMax else { throw .badRequest("that is more than \(patternsMax) patterns") }
        var patterns: [CratePattern] = []
        for text in texts {
            guard let pattern = CratePattern(text) else {
                throw .badRequest("`\(text)` is no crate pattern: write a name, or a prefix with a final `*`")
            }
            patterns.append(pattern)
        }
        return patterns
    }
}
