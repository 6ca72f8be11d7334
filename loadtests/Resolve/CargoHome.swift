import Registry
import Synchronization

/// What cargos keep of one registry: index files with their tags, and whether a token is needed.
///
/// All users of a side share it, as if they had all been there before. Cold users keep things too, but send no tags.
final class CargoHome: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        /// Nothing is kept: a new machine.
        case cold
        /// Every index file is kept, and revalidated: a developer's `cargo update`.
        case warm
        /// Nothing is kept, and all crates are downloaded after the index: a build in a container.
        case locked
    }

    /// What a server is asked with whether a file has changed.
    struct Validator: Hashable, Sendable {
        /// `if-none-match` or `if-modified-since`.
        let field: String
        let value: String

        /// An `ETag` beats a `Last-Modified`; an empty one is none.
        init?(_ answer: WireAnswer) {
            if let tag = answer.field("etag"), !tag.isEmpty {
                (field, value) = ("if-none-match", tag)
            } else if let date = answer.field("last-modified"), !date.isEmpty {
                (field, value) = ("if-modified-since", date)
            } else {
                return nil
            }
        }
    }

    struct Kept: Sendable {
        let validator: Validator?
        let content: IndexLibrary.ContentID
    }

    let kind: Kind
    private let files = Mutex<[IndexPath: Kept]>([:])
    private let needsToken = Atomic<Bool>(false)

    init(_ kind: Kind) { self.kind = kind }

    /// True if a stored `config.json` says so: the question without a token is left out then.
    var knowsThatTokenIsNeeded: Bool { kind == .warm && needsToken.load(ordering: .relaxed) }

    func noteNeedOfToken() { needsToken.store(true, ordering: .relaxed) }

    /// What a cargo with this home asks conditionally with.
    func validators(_ paths: [IndexPath]) -> [Validator?] {
        guard kind == .warm else { return paths.map { _ in nil } }
        return files.withLock { files in paths.map { files[$0]?.validator } }
    }

    /// What an answer says, with what was kept before.
    ///
    /// - Returns: nil if cargo could make nothing of it.
    func content(_ path: IndexPath, _ answer: WireAnswer, _ library: IndexLibrary) -> IndexLibrary.ContentID? {
        switch answer.status {
        case 200: return read(path, answer, library)
        case 304: return kind == .warm ? files.withLock { $0[path]?.content } : nil
        case 404:
            files.withLock { $0[path] = nil }
            return .absent
        default: return nil
        }
    }

    private func read(_ path: IndexPath, _ answer: WireAnswer, _ library: IndexLibrary) -> IndexLibrary.ContentID? {
        let validator = Validator(answer)
        // A tag stands for its text; to unpack that once more would be the load generator's work alone.
        if let validator, validator.field == "if-none-match", let kept = files.withLock({ $0[path] }),
            kept.validator == validator
        {
            return kept.content
        }
        guard let text = IndexLibrary.text(of: answer) else { return nil }
        let content = library.learn(text)
        files.withLock { $0[path] = Kept(validator: validator, content: content) }
        return content
    }
}
