/// Says how this replica's edges stand, one word at a time: an older word can't replace a newer one, and an edge that
/// was just introduced can't be taken back by a word that was on its way before (I10).
///
/// Whoever comes while it speaks shares the next word with all who came: a thousand edges at once are one row written.
actor ReplicaVoice {
    private let speak: @Sendable (_ withStreams: Bool) async throws -> Void
    private var waiting: [CheckedContinuation<Void, any Error>] = []
    private var wantsStreams = false
    private var isSpeaking = false

    /// - Parameter speak: looks at the edges when it is called, not before.
    init(speak: @escaping @Sendable (_ withStreams: Bool) async throws -> Void) { self.speak = speak }

    var waitingCount: Int { waiting.count }

    /// Returns when a word that was begun after the call is written.
    func say(withStreams: Bool = false) async throws {
        try await withCheckedThrowingContinuation { done in
            waiting.append(done)
            wantsStreams = wantsStreams || withStreams
            guard !isSpeaking else { return }
            isSpeaking = true
            // Of its own, because one that gives up may not take the others' word along; ends with the last of them.
            Task { await self.speakForAll() }
        }
    }

    private func speakForAll() async {
        while !waiting.isEmpty {
            let (all, withStreams) = (waiting, wantsStreams)
            (waiting, wantsStreams) = ([], false)
            do {
                try await speak(withStreams)
                for done in all { done.resume() }
            } catch {
                for done in all { done.resume(throwing: error) }
            }
        }
        isSpeaking = false
    }
}
