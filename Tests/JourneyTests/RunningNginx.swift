import TestSupport

/// nginx with the `nginx.conf` of a folder, for as long as a test wants it.
enum RunningNginx {
    /// - Parameters:
    ///   - isReady: asked again and again, a minute at most, before `body` begins.
    static func with(
        configurationIn folder: String, isReady: () async throws -> Bool, _ body: () async throws -> Void
    ) async throws {
        let nginx = ServerProcess(
            "nginx", arguments: ["nginx", "-c", folder + "/nginx.conf"], logPath: folder + "/nginx.log")
        do {
            try await wait(for: nginx, isReady)
            try await body()
        } catch {
            print(nginx.logTail)
            await nginx.stop()
            throw error
        }
        await nginx.stop()
    }

    private static func wait(for nginx: ServerProcess, _ isReady: () async throws -> Bool) async throws {
        for _ in 0..<600 where !nginx.hasEnded {
            if try await isReady() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw NotReady()
    }

    private struct NotReady: Error, CustomStringConvertible {
        let description = "nginx is not ready; its log is printed above"
    }
}
