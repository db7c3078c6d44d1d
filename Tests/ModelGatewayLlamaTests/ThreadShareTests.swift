// How many threads a step gets beside other programs, with made-up processors and limits.

#if LlamaCpp

import Foundation
import Testing

@testable import ModelGatewayLlama

@Suite struct ThreadShareTests {
    private func threads(_ most: Int, of processors: Double, beside foreign: [Double]) -> [Int] {
        var share = ThreadShare(most: most)
        return foreign.map {
            share.note(ThreadShare.Look(processors: processors, foreign: $0))
            return share.threads
        }
    }

    @Test func `B6: alone it keeps all threads`() {
        #expect(ThreadShare(most: 2).threads == 2)
        // The counters are wrong by a little, to either side.
        #expect(threads(2, of: 2, beside: [0, 0.2, -0.2, 0.4, 0.1]) == [2, 2, 2, 2, 2])
    }

    @Test func `B6: beside another program it takes what is free, and at least one`() {
        #expect(threads(2, of: 2, beside: [1]) == [1])
        #expect(threads(2, of: 2, beside: [2, 2.2]) == [1, 1])
        #expect(threads(8, of: 8, beside: [3, 8, 5]) == [5, 1, 3])
        // As one of two that both began with every processor: each sees the other's half, and so both stay at one.
        #expect(threads(2, of: 2, beside: [1, 1, 1, 0.9, 1.1]) == [1, 1, 1, 1, 1])
    }

    @Test func `B6: threads come back when the others have gone`() {
        #expect(threads(2, of: 2, beside: [1, 0.1]) == [1, 2])
        #expect(threads(4, of: 8, beside: [7, 0]) == [1, 4])
        // Between the two limits it stays as it is.
        #expect(threads(2, of: 2, beside: [1, 0.4, 0.3, 0.2]) == [1, 1, 1, 2])
        #expect(threads(2, of: 2, beside: [0.4, 0.3]) == [2, 2])
    }

    @Test func `B6: hardware threads beyond the cores are room for others`() {
        #expect(threads(4, of: 8, beside: [4, 4.4, 5]) == [4, 4, 3])
    }

    @Test func `B6: idle time is that of the processors that the process may use`() {
        let text = """
            cpu  189746 0 19702 108075 1920 0 204 189 0 0
            cpu0 89207 0 9018 61300 187 0 41 98 0 0
            cpu1 100539 0 10684 46774 1732 0 163 90 0 0
            intr 1008799 0 0
            """
        #expect(ProcessorLoad.idleTicks(in: Array(text.utf8), of: [0, 1]) == 61300 + 187 + 46774 + 1732)
        #expect(ProcessorLoad.idleTicks(in: Array(text.utf8), of: [1]) == 46774 + 1732)
        #expect(ProcessorLoad.idleTicks(in: Array(text.utf8), of: [0, 7]) == nil)
        #expect(ProcessorLoad.idleTicks(in: Array("x".utf8), of: [0]) == nil)
    }

    @Test(
        arguments: [
            (["cpu.max": "150000 100000"], "0::/\n", 1.5), (["cpu.max": "max 100000"], "0::/\n", nil),
            // The limit of a service's slice holds for the service.
            (["a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"], "0::/a/b\n", 2),
            (["a/cpu.max": "200000 100000", "a/b/cpu.max": "50000 100000"], "0::/a/b\n", 0.5),
            (["a/cpu.max": "200000 100000"], "0::/elsewhere\n", nil),
            // Version 1, by its own path and as the root of what a container sees.
            (["cpu/a/cpu.cfs_quota_us": "300000", "cpu/a/cpu.cfs_period_us": "100000"], "4:cpu,cpuacct:/a\n", 3),
            (
                ["cpu,cpuacct/a/cpu.cfs_quota_us": "300000", "cpu,cpuacct/a/cpu.cfs_period_us": "100000"],
                "4:cpu,cpuacct:/a\n", 3
            ),
            (["cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "50000"], "1:cpu:/docker/1\n", 2),
            (["cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"], "1:cpu:/\n", nil),
            ([:], "", nil),
        ] as [([String: String], String, Double?)]
    )
    func `B6: the limits of containers count`(_ files: [String: String], _ membership: String, _ quota: Double?) throws
    {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("modelgateway-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in files.merging(["membership": membership], uniquingKeysWith: { first, _ in first }) {
            let file = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data((text + "\n").utf8).write(to: file)
        }
        #expect(ProcessorCount.quota(controlGroups: root.path, membership: root.path + "/membership") == quota)
    }
}

#endif
