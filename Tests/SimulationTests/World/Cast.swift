import EdgeCache
import NIOCore
import Registry

/// One thing that clients ask about and that the truth speaks of.
struct Subject: CustomStringConvertible {
    enum Kind { case index, download, token, visibility }

    let kind: Kind
    /// Of `Cast.repositories`; of a token: nothing.
    let repository: Int
    let crate: CrateName?
    let version: String
    /// Nil for the visibility of a repository, which stands in the list.
    let cacheKey: CacheKey?
    let group: CacheGroup?
    let description: String
}

/// Everything that has a name in the simulated registry; small, so that things meet often.
struct Cast {
    /// `main` is public, `vault` private; `strict` changes its visibility and refuses when it is cut off.
    static let repositories = ["main", "vault", "strict"]
    static let repositoryBytes = repositories.map { ByteBuffer(string: $0) }
    static let cratesEach = 3
    static let versionsEach = 2
    static let tokens = 4

    let names: [RepositoryName]
    private(set) var subjects: [Subject] = []

    init() throws {
        names = try Self.repositories.map { try RepositoryName($0) }
        try addFiles()
        for token in 0..<Self.tokens {
            subjects.append(
                Subject(
                    kind: .token, repository: 0, crate: nil, version: "", cacheKey: .token(Self.hash(token)),
                    group: nil, description: "token t\(token)"))
        }
        subjects.append(
            Subject(
                kind: .visibility, repository: 2, crate: nil, version: "", cacheKey: nil, group: nil,
                description: "visibility of strict"))
    }

    var count: Int { subjects.count }
    /// Index files come first, then downloads; what clients ask for is below this.
    var filesCount: Int { firstToken }
    var firstDownload: Int { names.count * Self.cratesEach }
    var firstToken: Int { firstDownload * (1 + Self.versionsEach) }
    var visibility: Int { firstToken + Self.tokens }

    subscript(number: Int) -> Subject { subjects[number] }

    func download(ofIndex index: Int, version: Int) -> Int { firstDownload + index * Self.versionsEach + version }

    func index(ofDownload download: Int) -> Int { (download - firstDownload) / Self.versionsEach }

    static func hash(_ number: Int) -> Checksum {
        guard let hash = Checksum(bytes: [UInt8](repeating: UInt8(number + 1), count: 32)) else {
            preconditionFailure("32 bytes are a checksum")
        }
        return hash
    }

    private mutating func addFiles() throws {
        var indexes: [Subject] = []
        var downloads: [Subject] = []
        for (place, repository) in names.enumerated() {
            for letter in 0..<Self.cratesEach {
                let crate = try CrateName("crate-\(Self.repositories[place].prefix(1))\(letter)")
                let key = CacheKey.index(repository, crate.indexPath)
                indexes.append(
                    Subject(
                        kind: .index, repository: place, crate: crate, version: "", cacheKey: key, group: nil,
                        description: "\(key)"))
                for patch in 0..<Self.versionsEach {
                    let version = try Version("1.0.\(patch)")
                    let path = CratePath(
                        name: crate, version: version, checksum: Self.hash(indexes.count * 4 + patch))
                    let key = CacheKey.crate(repository, path)
                    downloads.append(
                        Subject(
                            kind: .download, repository: place, crate: crate, version: "\(version)", cacheKey: key,
                            group: .version(repository, crate, version),
                            description: "/\(repository)/\(crate.lowered)-\(version).crate"))
                }
            }
        }
        subjects = indexes + downloads
    }
}
