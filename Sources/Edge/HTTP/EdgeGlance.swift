/// A GET for a path and nothing else: no query, no credential, one value of `if-none-match` at most.
///
/// Its parts are shown where they lie in the connection's input, and only for the time of a call: nearly all requests are such
/// ones, and buffers and counts of their owners cost more than finding the answer.
package struct EdgeGlimpse {
    /// Begins with `/`; never decoded.
    package let path: UnsafeRawBufferPointer
    /// As it came; nil without one.
    package let ifNoneMatch: UnsafeRawBufferPointer?
    let acceptsGzip: Bool
}

/// What a handler says to a glimpse.
package struct EdgeGlance {
    let answer: RenderedAnswer
    /// As an answer's label.
    let label: UInt8

    package init(_ answer: RenderedAnswer, label: UInt8) {
        self.answer = answer
        self.label = label
    }
}

extension HTTP1Draft {
    /// - Parameter bytes: those that the draft was read from.
    /// - Returns: nil if the request asks for more than a glimpse shows, or the connection shall not go on after it.
    func glimpse(of bytes: UnsafeRawBufferPointer) -> EdgeGlimpse? {
        guard isPlainGet, !path.isEmpty else { return nil }
        return EdgeGlimpse(
            path: UnsafeRawBufferPointer(rebasing: bytes[path]),
            ifNoneMatch: ifNoneMatch.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) },
            acceptsGzip: encodings.acceptsGzip)
    }
}
