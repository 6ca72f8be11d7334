import Registry

/// How the line of a version of our own is kept. Pure.
///
/// | the repository                     | `served`                                     | `published`             |
/// |------------------------------------|----------------------------------------------|-------------------------|
/// | keeps dependencies on crates.io    | the line as it was published                 | nil                     |
/// | takes them inside, and it has some | the same with these dependencies inside      | the line as it was      |
/// | takes them inside, and it has none | the line as it was published                 | nil                     |
///
/// A yank changes `served` alone: what `published` says of it means nothing.
struct ServedLine: Hashable {
    let served: String
    let published: String?

    init(served: String, published: String?) {
        self.served = served
        self.published = published
    }

    /// - Parameters:
    ///   - text: the line as it was published.
    ///   - line: what it says.
    init(_ text: String, _ line: IndexLine, rewrites: Bool) {
        if rewrites, let inside = line.withCratesIOInside {
            self.init(served: inside.json, published: text)
        } else {
            self.init(served: text, published: nil)
        }
    }

    /// - Returns: nil if the line stays as it is.
    func renewed(rewrites: Bool) throws(IndexLine.Invalid) -> ServedLine? {
        if rewrites {
            guard published == nil else { return nil }
            let made = ServedLine(served, try IndexLine(parsing: served), rewrites: true)
            return made == self ? nil : made
        }
        guard let published else { return nil }
        let isYanked = try IndexLine(parsing: served).isYanked
        let line = try IndexLine(parsing: published)
        return ServedLine(
            served: line.isYanked == isYanked ? published : line.with(yanked: isYanked).json, published: nil)
    }
}

extension CheckedVersion {
    /// - Parameter rewrites: as `CratesIORule` says in the transaction that adds the version.
    func servedLine(rewrites: Bool) -> ServedLine { ServedLine(text ?? line.json, line, rewrites: rewrites) }
}
