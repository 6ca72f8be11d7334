import NIOCore
import Synchronization

/// The blob of one version while it is received; a broken transfer is thrown away and begun anew.
final class ImportDraft: Sendable {
    private let blobs: any BlobStore
    private let writer = Mutex<(any BlobWriter)?>(nil)

    init(blobs: any BlobStore) { self.blobs = blobs }

    func begin() async throws {
        await discard()
        let fresh = try await blobs.begin()
        writer.withLock { $0 = fresh }
    }

    func write(_ bytes: ByteBuffer) async throws { try await finished().write(bytes) }

    func finished() throws -> any BlobWriter {
        guard let writer = writer.withLock({ $0 }) else { preconditionFailure("a transfer begins before it goes on") }
        return writer
    }

    func discard() async {
        let old = writer.withLock { writer in
            defer { writer = nil }
            return writer
        }
        await old?.discard()
    }
}

/// Results that arrive in any order and are wanted in theirs.
final class Slots<Value: Sendable>: Sendable {
    private let values: Mutex<[Value?]>

    init(count: Int) { values = Mutex(Array(repeating: nil, count: count)) }

    func put(_ value: Value, at place: Int) { values.withLock { $0[place] = value } }

    var filled: [Value] { values.withLock { $0.compactMap { $0 } } }
}

/// Calls `body` for each element, a few at a time; the first error cancels the others and is thrown.
func forEach<Element: Sendable>(
    _ elements: [Element], atOnce limit: Int, _ body: @escaping @Sendable (Element) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, element) in elements.enumerated() {
            if number >= limit { try await group.next() }
            try Task.checkCancellation()
            group.addTask { try await body(element) }
        }
        try await group.waitForAll()
    }
}
