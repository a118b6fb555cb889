// `groksweep cluster slurm` on a machine without Slurm: what it prints, and what it refuses.

import Foundation
import TestSupport
import Testing

@Suite struct ClusterSlurmCommandTests {
  private static let job = ["cluster", "slurm", "--time", "2:00:00", "--connect", "tcp://127.0.0.1:5555"]

  private func run(_ further: [String], in folder: Folder, path: String = "/usr/bin:/bin") throws -> Ended {
    try Groksweep.run(Self.job + further, in: folder, environment: ["PATH": path])
  }

  @Test func `a dry run prints the script and leaves nothing behind`() throws {
    let folder = try Folder()
    let ended = try run(["--workers", "9", "--cpus-per-task", "4", "--dry-run", "--name", "a b"], in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    for line in ["#!/bin/bash", "#SBATCH --array=1-3", "#SBATCH --job-name=\"a b\"", "#SBATCH --time=2:00:00"] {
      #expect(ended.output.split(separator: "\n").contains(Substring(line)), "\(line)")
    }
    #expect(ended.output.contains("worker --slots 4 --connect tcp://127.0.0.1:5555 --deadline"), "\(ended.output)")
    let scaled = try run(["--autoscale", "0:8", "--dry-run"], in: folder)
    #expect(scaled.output.contains("#SBATCH --array=1-8\n"), "\(scaled)")
    #expect(try folder.names().isEmpty)
  }

  @Test func `a machine without Slurm is told, and nothing is made`() throws {
    let folder = try Folder()
    for further in [["--workers", "1"], ["--autoscale", "1:2"]] {
      let ended = try run(further, in: folder, path: folder.path("nothing"))
      #expect(ended.status == 1)
      #expect(
        ended.errors.contains("groksweep: there is no sbatch on this machine; run this on a login node"), "\(ended)")
    }
    #expect(try folder.names().isEmpty)
  }

  @Test func `mistakes are told before anything is submitted`() throws {
    let folder = try Folder()
    let mistakes: [([String], String)] = [
      ([], "give --workers N, or --autoscale MIN:MAX"),
      (["--workers", "0"], "give a number from 1 to 100000"),
      (["--workers", "2", "--autoscale", "1:2"], "give --workers N, or --autoscale MIN:MAX"),
      (["--autoscale", "5:2"], "write MIN:MAX"),
      (["--workers", "2", "--store", "s.sqlite"], "--store and --ask-join are for --autoscale"),
      (["--workers", "2", "--margin", "7200"], "shorter than --time 2:00:00"),
      (["--workers", "2", "--sbatch-option", "constraint=x"], "is no option"),
      (["--workers", "2", "--time", "8h"], "write it as sbatch wants it"),
    ]
    for (further, words) in mistakes {
      let ended = try run(further, in: folder)
      #expect(ended.status == 64, "\(further): \(ended)")
      #expect(ended.errors.contains(words), "\(further): \(ended.errors)")
    }
    let far = try Groksweep.run(
      ["cluster", "slurm", "--time", "5", "--workers", "1", "--connect", "tcp://10.0.0.1:5555"], in: folder)
    #expect(far.status == 77 && far.errors.contains("Give --join FILE"), "\(far)")
    #expect(try folder.names().isEmpty)
  }
}
